"""What pyproject.toml cannot say: an installed course brings its lessons, data and sample classes along.

In the repository they lie where people look for them, beside the packages; in the wheel inside them, where
`autograde.course` and `unrolled.data` look if they are installed. An editable install copies nothing.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SHIPPED = {
    "solutions": "autograde/shipped/solutions",
    "notebooks": "autograde/shipped/notebooks",
    "samples": "autograde/shipped/samples",
    "nbgrader_config.py": "autograde/shipped/nbgrader_config.py",
    "data": "unrolled/data/files",
}


class BuildWithLessons(build_py):
    """setuptools' own step, from nothing, and then the lessons."""

    def run(self):
        """Build the packages below ``self.build_lib``, with what is shipped in them."""
        if not self.editable_mode:
            shutil.rmtree(self.build_lib, ignore_errors=True)  # or modules deleted since the last build came along
        super().run()
        if not self.editable_mode:
            for source, target in SHIPPED.items():
                _copy(ROOT / source, Path(self.build_lib, target))


def _copy(source, target):
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.partial"))
    else:
        shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithLessons})
