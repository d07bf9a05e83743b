"""How the course joins nbgrader: the preprocessors and plugins that `nbgrader_config.py` names.

Stock commands (`nbgrader generate_assignment`, `autograde`, `generate_feedback`, `release_feedback`, `export`, the
formgrader's buttons) then go through the same code as `autograde build`, `grade` and `feedback`. Assignments that are
no lessons of this course are left to nbgrader's own steps.
"""

from __future__ import annotations

import contextlib
import glob
import html
import json
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter, NotebookExporter
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbgrader import preprocessors as stock
from nbgrader import utils as stock_utils
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.plugins import CsvExportPlugin
from nbgrader.preprocessors import NbGraderPreprocessor

from autograde import course
from autograde.text import shown

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
        from autograde.recording.autograded import autograded
        from autograde.records import Result

        student, lesson = _who(resources)
        derived.require([lesson])
        folder = Path(resources["metadata"]["path"])
        found = submission.find(folder.parent.parent, [folder.parent.name], lesson)
        if found.status:
            from autograde.records import Submission

            rebuilt = Submission(student, lesson, repairs=found.repairs, status=found.status, note=found.note)
        else:
            rebuilt = submission.rebuild(student, lesson, found.content, found.repairs, found.files)
        for repair in rebuilt.repairs:
            self.log.warning("%s: %s", shown(student), repair)
        self.waiting[student, lesson] = rebuilt
        if rebuilt.notebook is None:
            nb = autograded(Result(student, lesson, rebuilt.status, (), note=rebuilt.note), rebuilt)
        else:
            nb = rebuilt.notebook
        return nb, resources


class JudgeOutside(NbGraderPreprocessor):
    """Run the rebuilt lesson closed in, and judge its outputs here: `autograde.running.engine` in place of a kernel."""

    def preprocess(self, nb, resources):
        """The autograded notebook; the result is left in ``resources["unrolled"]`` for `SaveVerdicts`."""
        if not _is_lesson(resources):
            return _run(STOCK_RUN, self, nb, resources)
        from autograde.recording.autograded import autograded
        from autograde.running import engine

        student, lesson = _who(resources)
        rebuilt = Rebuild.waiting.pop((student, lesson))
        _must_be_closed_in()
        # nbgrader works in the course directory: the secret is the one that `autograde grade` uses.
        result = engine.grade(rebuilt, engine.seeds(engine.secret_for(Path.cwd()), student))
        self.log.info("%s: %s, %g of %g points", student, result.status, result.score, result.max_score)
        resources["unrolled"] = (result, rebuilt)
        return autograded(result, rebuilt), resources


class SaveVerdicts(stock.SaveAutoGrades):
    """Write the judge's verdicts into the gradebook; no output of a notebook is read for points."""

    def preprocess(self, nb, resources):
        """Record through the course's one writer; a written answer with a manual grade asks for another look."""
        if not _is_lesson(resources):
            return super().preprocess(nb, resources)
        result, rebuilt = resources.pop("unrolled")
        written = frozenset(_exercise(cell) for cell in nb.cells
                            if stock_utils.is_grade(cell) and stock_utils.is_solution(cell))
        with _writer(resources["nbgrader"]["db_url"], result.lesson) as writer:
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

    settings = course.settings(root)
    config = PyFileConfigLoader(settings.name, path=str(settings.parent)).load_config()
    step = stock.AssignLatePenalties(config=config)
    return step.plugin_class(parent=step).late_submission_penalty


# Reading ----------------------------------------------------------------------------------------------

class NamesAsText(NbGraderPreprocessor):
    """What students are called is text in the formgrader too: its page of a submission takes names in as they are."""

    def preprocess(self, nb, resources):
        """Escape what `formgrade_macros.html.j2` says of the student; the notebook stays as it is."""
        for key in ("student", "first_name", "last_name", "notebook_path"):
            if isinstance(resources.get(key), str):
                resources[key] = html.escape(resources[key])
        return nb, resources


# Giving back ------------------------------------------------------------------------------------------

class FeedbackPage(HTMLExporter):
    """The course's page in place of nbgrader's, as the gradebook is now: for ``c.GenerateFeedback.exporter_class``."""

    def from_filename(self, filename, resources=None, **kw):
        """As nbconvert's, from an autograded notebook; what this course's grader did not make is left to nbgrader."""
        notebook = json.loads(Path(filename).read_text(encoding="utf-8"))
        from autograde.recording.autograded import result_in

        if not (resources and _is_lesson(resources)) or result_in(notebook) is None:
            return super().from_filename(filename, resources, **kw)
        from autograde.recording import feedback, pages

        student, lesson = _who(resources)
        with _writer(resources["nbgrader"]["db_url"], lesson) as writer:
            standing = writer.standings(lesson, student).get(student)
        if standing is None:
            raise course.UserError(f"the gradebook holds nothing of {student} for {lesson}; grade it first")
        resources["output_extension"] = self.file_extension
        return feedback.page(notebook, standing, pages.state_of(standing)), resources


class ReleaseFeedback(ExchangeReleaseFeedback):
    """nbgrader's own, with pages as the gradebook is now, and for a class of which some handed in elsewhere."""

    def copy_files(self):
        """Release the pages of who handed in through the exchange; for the others say where their page is."""
        from autograde.recording import pages

        lesson, root = self.coursedir.assignment_id, Path(self.coursedir.root)
        if lesson in course.lessons():
            with _writer(self.coursedir.db_url, lesson) as writer:
                standings = writer.standings(lesson)
            pages.refresh(root, lesson, standings)
            pages.write_report(root, lesson, pages.records(root, lesson), standings)
        others = []
        for folder in map(Path, glob.glob(self.src_path)):
            if not all((folder / name).is_file() for name in pages.OF_THE_EXCHANGE):
                others.append(folder.parent.name)
                self.log.warning("%s did not hand in through the exchange; the page to give back is in %s",
                                 others[-1], folder)
        self.coursedir.student_id_exclude = ",".join(filter(None, [self.coursedir.student_id_exclude, *others]))
        super().copy_files()


class ExportNow(CsvExportPlugin):
    """nbgrader's table of grades as things are now, see `recording.export`: for ``c.ExportApp.plugin_class``."""

    def export(self, gradebook):
        """Write the table to ``--to``, else ``grades.csv``."""
        from autograde.recording import export

        url = gradebook.engine.url.render_as_string(hide_password=False)
        lessons = {assignment.name for assignment in gradebook.assignments} & set(course.lessons())
        gradebook.db.remove()  # or its transaction would lock out those that follow
        for lesson in sorted(lessons):
            with _writer(url, lesson) as writer:
                writer.standings(lesson)
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        export.write(gradebook, path, list(map(str, self.assignment)), list(map(str, self.student)),
                     datetime.now(UTC).replace(tzinfo=None))


@contextlib.contextmanager
def _writer(db_url: str, lesson: str):
    """The course's one writer, in the course directory that nbgrader works in."""
    from autograde.recording.gradebook import Writer

    with Writer(db_url, "", late=late_penalty(Path.cwd())) as writer:
        writer.prepare(lesson)
        yield writer


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
