"""Every command that README and docs show, and that messages and docstrings tell a person to run, exists as shown."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer
from nbgrader.apps import NbGraderApp

from autograde import course
from autograde.cli import app

PROGRAMS = ("make", "autograde", "nbgrader", "python", "pytest", "conda")
PAGES = sorted([*course.ROOT.glob("*.md"), *(course.ROOT / "docs").glob("*.md"),
                course.ROOT / "autograde" / "authoring" / "scaffold" / "readme.txt"])
MODULES = sorted(path for folder in ("autograde", "unrolled", "benchmarks")
                 for path in (course.ROOT / folder).rglob("*.py"))


def shown_in(text: str) -> set[str]:
    """Commands in a page or a docstring, in code spans and on indented lines; and those after `run:`."""
    spans = re.findall(r"`([^`\n]+)`", text)
    blocks = re.findall(r"(?:^|\n\n)((?: {4,}\S.*(?:\n|$))+)", text)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    told = re.findall(r"\b[Rr]un: ((?:autograde|make) [^\"'`\n]+)", text)
    # In a block, what follows two spaces says what the command does, and so does a comment.
    found = [re.split(r"\s{2,}|\s#", command)[0].strip() for command in (*spans, *lines, *told)]
    return {part.strip() for command in found for part in command.split("&&")
            if part.strip().removeprefix(".venv/bin/").partition(" ")[0] in PROGRAMS and " " in part.strip()}


def shown_by(path: Path) -> set[str]:
    """Commands in a module: in its docstrings, and in its messages."""
    text = path.read_text(encoding="utf-8")
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    messages = re.sub(r"^ +", "", text, flags=re.M)  # indented lines are code here
    told = {command for command in shown_in(messages) if command.startswith(("autograde", "make"))}
    return told.union(*map(shown_in, docstrings))


def problem(command: str) -> str:
    """What is wrong with a command; empty if it could be typed as it stands."""
    program, *arguments = shlex.split(re.sub(r"<(\w+)>|\{(\w+)\}", "04_lstm", command.removeprefix(".venv/bin/")))
    arguments = arguments[:arguments.index("...")] if "..." in arguments else arguments
    return {"make": _make, "autograde": _autograde, "nbgrader": _nbgrader, "python": _python, "pytest": _pytest,
            "conda": _conda}[program](arguments)


def _make(arguments: list[str]) -> str:
    targets = set(re.findall(r"^([a-z-]+):", (course.ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    wrong = [a for a in arguments if "=" not in a and a not in targets]
    return f"no target {wrong}" if wrong else ""


def _autograde(arguments: list[str]) -> str:
    group = typer.main.get_command(app)
    commands = group.commands
    if arguments[0] in [option for parameter in group.params for option in parameter.opts]:
        return ""
    if arguments[0] not in commands:
        return f"no command {arguments[0]}"
    known = {option for parameter in commands[arguments[0]].params
             for option in (*parameter.opts, *parameter.secondary_opts)}
    wrong = [a for a in arguments[1:] if a.startswith("-") and a.partition("=")[0] not in known]
    return f"no option {wrong}" if wrong else ""


def _nbgrader(arguments: list[str]) -> str:
    return "" if arguments[0].replace("-", "_") in NbGraderApp.subcommands else f"no command {arguments[0]}"


def _python(arguments: list[str]) -> str:
    if arguments[0] == "-m":
        return "" if importlib.util.find_spec(arguments[1]) else f"no module {arguments[1]}"
    return "" if arguments[0].startswith("-c") or _there(arguments[0]) else f"no file {arguments[0]}"


def _pytest(arguments: list[str]) -> str:
    wrong = [a for a in arguments if a.endswith(".py") and not _there(a)]
    return f"no file {wrong}" if wrong else ""


def _conda(arguments: list[str]) -> str:
    wrong = [a for a in arguments if a.endswith(".yml") and not _there(a)]
    return f"no file {wrong}" if wrong else ""


def _there(path: str) -> bool:
    return bool(list(course.ROOT.glob(path.replace("04_lstm", "*")))) or "*" in path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_of_a_page(path):
    found = shown_in(path.read_text(encoding="utf-8"))
    assert not {command: wrong for command in sorted(found) if (wrong := problem(command))}


def test_commands_that_messages_and_docstrings_name():
    found = {command for path in MODULES for command in shown_by(path)}
    assert len(found) > 10
    assert not {command: wrong for command in sorted(found) if (wrong := problem(command))}


@pytest.mark.parametrize("command", [
    "make coffee", "autograde grade --colour red", "autograde marks 04_lstm", "nbgrader grade", "python data/none.py",
    "python -m tests.nothing", "pytest tests/test_nothing.py", "conda env create -f env.yml",
])
def test_a_command_that_does_not_exist_is_found(command):
    assert problem(command)


def test_commands_are_found_where_people_read_them():
    readme = shown_in((course.ROOT / "README.md").read_text(encoding="utf-8"))
    assert {"make grade", "make test", "make lab", ".venv/bin/autograde doctor", "make lab FOLDER=~/course"} <= readme
