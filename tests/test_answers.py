"""What the checks are worth: every misconception rejected and named, every right answer accepted.

The tests are those that a course of one's own runs on its lessons, see `autograde.proof`.
"""

import pytest

pytest.register_assert_rewrite("autograde.proof")

from autograde.proof import *  # noqa: E402, F403
