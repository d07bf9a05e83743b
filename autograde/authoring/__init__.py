"""Authoring: a hand-written lesson becomes its executed reference and the student's notebook; sample classes."""
