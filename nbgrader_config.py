"""nbgrader's configuration for this course directory."""

from autograde.authoring.release import release_preprocessors
from autograde.nbgrader import ReadLater, autograde_preprocessors, run_lessons, sanitize_preprocessors

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

# For what runs in a kernel: `nbgrader validate`, and plain nbgrader without the lines above.
run_lessons(c)
