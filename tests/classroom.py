"""A lesson with its cells run once, see `autograde.authoring.classroom`."""

from autograde.authoring.classroom import Classroom, classroom

__all__ = ["Classroom", "classroom"]
