"""Text that a student chose, made fit to be shown."""

from __future__ import annotations


def shown(text: str) -> str:
    """A name that a student chose, fit for a line of a report: printable and short."""
    safe = "".join(c if c.isprintable() else "?" for c in text.encode("utf-8", "replace").decode())
    return safe if len(safe) <= 60 else safe[:57] + "..."
