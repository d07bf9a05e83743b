"""nbgrader's configuration for this course directory."""

from autograde.authoring.release import release_preprocessors
from autograde.nbgrader import (
    ExportNow,
    FeedbackPage,
    NamesAsText,
    ReadLater,
    ReleaseFeedback,
    autograde_preprocessors,
    run_lessons,
    sanitize_preprocessors,
)

c = get_config()  # noqa: F821 (nbgrader provides it)

c.CourseDirectory.course_id = "unrolled"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"

# Releasing: nbgrader's own steps, and each figure of the reference attached as the student's target.
c.GenerateAssignment.preprocessors = release_preprocessors()

# Grading a lesson with `nbgrader autograde` or the formgrader's button: rebuilt, closed in and judged as `autograde
# grade` does it, with the same scores. Assignments that are no lessons go through nbgrader's own steps.
c.Autograde.exporter_class = ReadLater
c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
c.Autograde.autograde_preprocessors = autograde_preprocessors()

# The formgrader shows notebooks by this exporter; what students are called stays text there.
c.HTMLExporter.preprocessors = [NamesAsText]

# Giving back with `nbgrader generate_feedback` and `release_feedback` or the formgrader's buttons: the same page as
# `autograde feedback` makes, from the marks, comments and due dates of now, so it is written again each time.
c.GenerateFeedback.exporter_class = FeedbackPage
c.GenerateFeedback.force = True
c.ExchangeFactory.release_feedback = ReleaseFeedback
c.ExportApp.plugin_class = ExportNow

# What late work costs: nothing here; "zero" gives no points for it. For another rule see README, "Due dates".
c.LateSubmissionPlugin.penalty_method = "none"

# For what runs in a kernel: `nbgrader validate`, and plain nbgrader without the lines above.
run_lessons(c)
