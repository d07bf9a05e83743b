"""How the command starts: quickly, and with names and output as they are, whatever the locale says."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Iterator

from rich.console import Console

# Nothing in what is printed is markup or the name of an emoji: names are people's.
console = Console(highlight=False, markup=False, emoji=False)
errors = Console(stderr=True, highlight=False, markup=False, emoji=False)


def warm_up(limits, scheduler: str = "") -> None:
    """Let the warm process import Keras while this one imports nbgrader: each takes seconds."""
    if not scheduler:
        from autograde.running import sandbox

        threading.Thread(target=sandbox.start_early, args=(limits,), daemon=True).start()


@contextlib.contextmanager
def quick_imports() -> Iterator[None]:
    """Import what grading needs in half the time: without looking for garbage among what will stay.

    And without the grammar of internationalised addresses that jsonschema compiles if it finds `rfc3987_syntax`: one
    second, for a check that no notebook asks for.
    """
    gc.disable()
    unwanted = sys.modules.setdefault("rfc3987_syntax", None)  # Python's own way to say: cannot be imported
    yield
    if unwanted is None:
        del sys.modules["rfc3987_syntax"]
    gc.freeze()
    gc.enable()


def speak_utf8() -> None:
    """File names are UTF-8 whatever the locale says; what a terminal cannot print is written out, never an error.

    Under a locale such as ``C`` Python would read half the names of a class as broken text: it starts again in its
    UTF-8 mode, printing as before.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    if os.name == "posix" and sys.getfilesystemencoding().lower() != "utf-8":
        told = {"PYTHONUTF8": "1", "PYTHONIOENCODING": f"{sys.stdout.encoding}:backslashreplace"}
        os.execve(sys.executable, [sys.executable, "-m", "autograde", *sys.argv[1:]], os.environ | told)

