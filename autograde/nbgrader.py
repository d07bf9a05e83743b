"""How the course joins nbgrader: the preprocessors that `nbgrader_config.py` names.

Stock commands (`nbgrader generate_assignment`, `nbgrader autograde`, the formgrader's buttons) then go
through the same code as `autograde build` and `autograde grade`. Assignments that are no lessons of this
course are left to nbgrader's own steps.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as stock
from nbgrader import utils as stock_utils
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import course

# What nbgrader itself does, for assignments that are no lessons.
STOCK_SANITIZE = (stock.ClearOutput, stock.DeduplicateIds, stock.OverwriteKernelspec, stock.OverwriteCells,
                  stock.CheckCellMetadata)
STOCK_RUN = (stock.Execute, stock.IgnorePattern, ClearMetadataPreprocessor, stock.LimitOutput)

# Grading ----------------------------------------------------------------------------------------------

class ReadLater(NotebookExporter):
    """Leaves the reading of a handed-in lesson to `Rebuild`, which copes with files that nbformat does not."""

    def from_filename(self, filename, resources=None, **kw):
        """As nbconvert's; a lesson that is about to be rebuilt starts as an empty notebook."""
        rebuilding = any(isinstance(step, Rebuild) for step in self._preprocessors)
        if not (rebuilding and resources and _is_lesson(resources)):
            return super().from_filename(filename, resources, **kw)
        path = Path(filename)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(nbformat.v4.new_notebook(), resources, **kw)


class Rebuild(NbGraderPreprocessor):
    """Put the student's answers into the lesson's skeleton, from the file as it was handed in."""

    # nbgrader runs two passes with resources of their own: what the first rebuilt, the second grades.
    waiting: dict[tuple[str, str], object] = {}

    def preprocess(self, nb, resources):
        """The rebuilt notebook, or a cell that says why there is none: never an error for what a student did."""
        if not _is_lesson(resources):
            return _run(STOCK_SANITIZE, self, nb, resources)
        from autograde.authoring import derived
        from autograde.intake import submission
        from autograde.recording import feedback
        from autograde.records import Result

        student, lesson = _who(resources)
        derived.require([lesson])
        found = submission.find(Path(resources["metadata"]["path"]), lesson)
        if found.status:
            from autograde.records import Submission

            rebuilt = Submission(student, lesson, repairs=found.repairs, status=found.status, note=found.note)
        else:
            rebuilt = submission.rebuild(student, lesson, found.content, found.repairs)
        for repair in rebuilt.repairs:
            self.log.warning("%s: %s", student, repair)
        self.waiting[student, lesson] = rebuilt
        if rebuilt.notebook is None:
            nb = feedback.autograded(Result(student, lesson, rebuilt.status, (), note=rebuilt.note), rebuilt)
        else:
            nb = rebuilt.notebook
        return nb, resources


class JudgeOutside(NbGraderPreprocessor):
    """Run the rebuilt lesson closed in, and judge its outputs here: `autograde.running.engine` in place of a kernel."""

    def preprocess(self, nb, resources):
        """The autograded notebook; the result is left in ``resources["unrolled"]`` for `SaveVerdicts`."""
        if not _is_lesson(resources):
            return _run(STOCK_RUN, self, nb, resources)
        from autograde.recording import feedback
        from autograde.running import engine

        student, lesson = _who(resources)
        rebuilt = Rebuild.waiting.pop((student, lesson))
        _must_be_closed_in()
        # nbgrader works in the course directory: the secret is the one that `autograde grade` uses.
        result = engine.grade(rebuilt, engine.seeds(engine.secret_for(Path.cwd()), student))
        self.log.info("%s: %s, %g of %g points", student, result.status, result.score, result.max_score)
        resources["unrolled"] = (result, rebuilt)
        return feedback.autograded(result, rebuilt), resources


class SaveVerdicts(stock.SaveAutoGrades):
    """Write the judge's verdicts into the gradebook; no output of a notebook is read for points."""

    def preprocess(self, nb, resources):
        """Record through the course's one writer; a written answer with a manual grade asks for another look."""
        if not _is_lesson(resources):
            return super().preprocess(nb, resources)
        from autograde.recording.gradebook import Writer

        result, rebuilt = resources.pop("unrolled")
        written = frozenset(_exercise(cell) for cell in nb.cells
                            if stock_utils.is_grade(cell) and stock_utils.is_solution(cell))
        with Writer(resources["nbgrader"]["db_url"], "") as writer:
            writer.prepare(result.lesson)
            writer.record(result, rebuilt, rewritten=written)
        return nb, resources


def sanitize_preprocessors() -> list:
    """For ``c.Autograde.sanitize_preprocessors``."""
    return [Rebuild]


def autograde_preprocessors() -> list:
    """For ``c.Autograde.autograde_preprocessors``."""
    return [JudgeOutside, SaveVerdicts, stock.AssignLatePenalties, stock.CheckCellMetadata]


def run_lessons(config) -> None:
    """Settings for everything that runs a lesson in a kernel: `nbgrader validate`, the Validate button.

    Importing Keras takes its time, and cells that train for show are left out. ``make setup`` has them read from any
    folder, ``nbgrader_config.py`` in the course directory.
    """
    config.Execute.timeout = 180
    # nbgrader's own argument, and no warning about the kernel's transport, which stays on this machine.
    config.Execute.extra_arguments = ["--HistoryManager.hist_file=:memory:", "--log-level=ERROR"]
    config.Execute.skip_cells_with_tag = "demo"


def late_penalty(root: Path):
    """The penalty for late submissions that the course's ``nbgrader_config.py`` sets, for `gradebook.Writer`."""
    from traitlets.config import PyFileConfigLoader

    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    step = stock.AssignLatePenalties(config=config)
    return step.plugin_class(parent=step).late_submission_penalty


def _who(resources) -> tuple[str, str]:
    return resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]


def _is_lesson(resources) -> bool:
    names = resources["nbgrader"]
    return names["assignment"] == names["notebook"] and names["assignment"] in course.lessons()


def _run(steps, parent, nb, resources):
    for step in steps:
        nb, resources = step(parent=parent)(nb, resources)
    return nb, resources


def _exercise(cell) -> str:
    return cell.metadata.nbgrader.grade_id.replace("-", ".", 1)


def _must_be_closed_in() -> None:
    from autograde.running.sandbox import shared

    with shared() as sandbox:
        if not sandbox.greeting.get("isolated"):
            raise course.UserError(f"student code would run unprotected here ({sandbox.reason}); "
                                   "see `autograde doctor`, or use `autograde grade --unprotected`")
