"""nbgrader's configuration for this course directory."""

from autograde.nbgrader import release_preprocessors

c = get_config()  # noqa: F821 (nbgrader provides it)

c.CourseDirectory.course_id = "unrolled"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"

# Releasing: nbgrader's own steps, and each figure of the reference attached as the student's target.
c.GenerateAssignment.preprocessors = release_preprocessors()
