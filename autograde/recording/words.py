"""The words and icons that a page has for a verdict and for how a submission ended."""

from __future__ import annotations

from dataclasses import dataclass

from autograde import records
from autograde.records import FAILED, FORBIDDEN, NO_ANSWER, PARTLY, PASSED, UNWRITTEN

BY_HAND, WAITING = "graded by hand", "waits for a reader"
# (icon, look): an icon always stands beside its word, so no colour is needed.
LOOKS = {
    PASSED: ("✔︎", "passed"), PARTLY: ("◐", "partly"), FAILED: ("✘︎", "failed"), FORBIDDEN: ("⊘", "failed"),
    UNWRITTEN: ("✎", "none"), NO_ANSWER: ("⚠︎", "failed"), BY_HAND: ("✔︎", "wait"), WAITING: ("◷", "wait"),
}


@dataclass(frozen=True)
class Status:
    """A status in words: `title`, `means` and `do` for the student, `about` for the instructor."""

    about: str
    title: str
    means: str
    do: str


STATUSES = {
    records.TIMEOUT: Status(
        "Ran out of time",
        "Your notebook ran out of time",
        "A cell ran for longer than it may, so it was stopped. What was checked before it keeps its points.",
        "look for a loop that never ends, or one that works element by element where one array operation would do. "
        "Restart the kernel and run all cells; the one that does not come back is the one."),
    records.OUT_OF_MEMORY: Status(
        "Needed too much memory",
        "Your notebook needed too much memory",
        "A cell asked for more memory than one submission may have, so it was stopped. "
        "What was checked before it keeps its points.",
        "look for an array that grows in a loop, or a shape with one axis too many; print the shapes as you go."),
    records.CRASHED: Status(
        "Ended in the middle",
        "Python stopped in the middle",
        "The process that ran your notebook ended on its own. What was checked before that keeps its points.",
        "take out calls such as exit(), quit() or os._exit(), restart the kernel, and run all cells from the top."),
    records.FLOODED: Status(
        "Printed too much",
        "Your notebook printed too much",
        "A cell printed more than anyone can read, so it was stopped. What was checked before it keeps its points.",
        "remove prints from inside loops, then run all cells once more."),
    records.TAMPERED: Status(
        "Interfered with the grading",
        "Your notebook interfered with the grading",
        "What came back from your notebook was not what its checks send. Your instructor sees this too.",
        "use `check(...)` as it stands in the lesson, and leave `unrolled` and IPython as they are. If you do not know "
        "what this is about, talk to your instructor."),
    records.MISSING: Status(
        "Handed nothing in",
        "Nothing was handed in",
        "There was no notebook for this lesson in your folder.",
        "hand in the notebook under its own name, or tell your instructor if you did."),
    records.UNREADABLE: Status(
        "Cannot be read",
        "Your notebook could not be read",
        "The file that was handed in could not be read as this lesson's notebook, so nothing in it could be tried.",
        "open it in JupyterLab, save it, check that it opens again, and hand it in once more."),
}
