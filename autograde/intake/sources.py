"""What a piece of student code defines and needs, found without running it and without trusting it.

Python's parser is asked only after a screen: deep nesting and endless operator chains cost it stack or minutes.
What the screen refuses counts as text that does not parse; it is still handed on as the student's answer.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import symtable
import threading
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARACTERS = 200_000  # of a cell that is looked at in any way
MAX_PARSED = 100_000      # characters; what lies between is no answer that a person wrote
MAX_DEPTH = 90            # brackets; the parser itself stops at 200
MAX_RUN = 80              # unary operators in a row
MAX_BRACES = 1_000        # 15,000 expressions in one f-string cost the parser 3.5 s
MAX_CHAIN = 300           # `lambda`, `elif`, `else`, `**`: the parser recurses once for each
MAX_MARKS = 40            # accents in a row: 40,000 cost Unicode normalisation 25 s and the parser 74 s

# Names that stand in every notebook without a definition.
EVERYWHERE = frozenset(dir(builtins)) | {"get_ipython", "display", "In", "Out", "exit", "quit", "__name__"}

# One thread at a time: CPython 3.11 counts the tree builder's depth once for all threads (gh-106905), and filters of
# warnings belong to the whole process.
_PARSER = threading.Lock()

_LITERAL = re.compile(
    r"""#[^\n]*|(?P<prefix>(?<![\w])[A-Za-z]{0,2})(?:"{3}(?:[\s\S]*?"{3}|[\s\S]*)|'{3}(?:[\s\S]*?'{3}|[\s\S]*)"""
    r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""")
_RUN = re.compile(rf"(?:(?:[-+~*]|\bnot\b|\bawait\b)\s*){{{MAX_RUN}}}")
_CHAIN = re.compile(r"\blambda\b|\belif\b|\belse\b|\*\*")
_DEFINED = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.M)
_STAR = re.compile(r"^from[ \t]+[\w.]+[ \t]+import[ \t]*\*", re.M)
_ASSIGNED_SHELL = re.compile(r"([\w, \t]+)=[ \t]*[!%]")
_TIMED = re.compile(r"^(\s*)%(?:time|timeit|prun)(?:[ \t]+-\S+)*[ \t]+(.*)$")
_BODY_IS_PYTHON = re.compile(r"%%(?:time|timeit|capture|prun)\b")
_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff]")
_HARD_SPACE = re.compile("[\u00a0\u2007\u202f]")
_MARKS = re.compile(f"[{''.join(c for c in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(c))}]"
                    f"{{{MAX_MARKS}}}")
_ASCII = re.compile("[\x00-\x7f]+")
_DOTTED = re.compile(r"[^\W\d]\w*(?:[ \t]*\.[ \t]*[^\W\d]\w*)*")
_FROM = re.compile(r"\bfrom[ \t]+([\w.]+)[ \t]+import[ \t]+([^#\n]+)")


@dataclass(frozen=True)
class Names:
    """What a cell does with names at its top level.

    Attributes
    ----------
    parses : whether it is Python (magics aside). If not, `defines` is a guess and the rest is empty.
    defines : functions and classes defined at the top level.
    binds : every name bound at the top level: definitions, imports, assignments.
    needs : names that are used and that the cell neither binds nor finds in every notebook.
    changes : names of others that it changes: ``table["x"] = 1``, ``model.rate = 2``, ``items.append(3)``.
    star : whether it holds a ``from ... import *``.
    """

    parses: bool
    defines: frozenset[str]
    binds: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    star: bool = False


@lru_cache(maxsize=8192)
def names(source: str) -> Names:
    """The `Names` of one cell's source; never raises."""
    text = as_python(source)
    if text is None:
        guess = {unicodedata.normalize("NFKC", name) for name in _DEFINED.findall(source)}
        return Names(False, frozenset(guess))
    table, tree = _parse(text)
    return Names(True, _definitions(tree), _bound(table), _needed(table), _changed(tree),
                 _STAR.search(text) is not None)


def parses(source: str) -> bool:
    """Whether `source` is Python, IPython's magics aside."""
    return names(source).parses


@lru_cache(maxsize=8192)
def as_python(source: str) -> str | None:
    """The Python in a cell: itself, or itself with IPython's own lines taken out; None if it does not parse."""
    if not acceptable(source):
        return None
    if _parse(source):
        return source
    rest = without_magics(source)
    return rest if rest is not None and rest != source and _parse(rest) else None


def acceptable(source: str) -> bool:
    """Whether it is safe and quick to show `source` to Python's parser."""
    if len(source) > MAX_PARSED or "\0" in source or source.count("{") > MAX_BRACES or _has_marks(source):
        return False
    text = _LITERAL.sub(_mask, source)
    if _depth(text) > MAX_DEPTH or _RUN.search(text):
        return False
    return sum(1 for _ in _CHAIN.finditer(text)) <= MAX_CHAIN


def _has_marks(source: str) -> bool:
    """Whether so many accents stand in a row that Unicode's algorithms would take seconds."""
    # Most text holds too few characters of that kind altogether, which is seen at once.
    return not source.isascii() and len(_ASCII.sub("", source)) >= MAX_MARKS and bool(_MARKS.search(source))


def _mask(found: re.Match) -> str:
    """Comments and strings nest nothing; an f-string holds code and stays."""
    return found[0] if "f" in (found["prefix"] or "").lower() else " "


def _depth(text: str) -> int:
    depth = deepest = 0
    for bracket in re.findall(r"[(\[{}\])]", text):
        depth = depth + 1 if bracket in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def tree(source: str) -> ast.Module | None:
    """The syntax tree of a cell, IPython's magics aside; None if it does not parse or is not fit to be parsed."""
    text = as_python(source)
    return _syntax(lambda: ast.parse(text)) if text is not None else None


def _parse(text: str) -> tuple[symtable.SymbolTable, ast.Module] | None:
    return _syntax(lambda: (symtable.symtable(text, "<answer>", "exec"), ast.parse(text)))


def _syntax(parse: Callable):
    """What `parse` returns, or None if the text is not Python."""
    try:
        with _PARSER, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a student's string is not our concern
            return parse()
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def without_magics(source: str) -> str | None:
    """`source` for analysis only: IPython's lines do nothing, but what `%time` runs stays.

    None for a cell whose magic runs something else: HTML, a shell script, a file to write.
    """
    lines = source.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if not _BODY_IS_PYTHON.match(lines[first]):
            return None
        lines[first] = ""
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line: str) -> str:
    start = line.lstrip()
    indent = line[:len(line) - len(start)]
    timed = _TIMED.match(line)
    if timed:
        return timed[1] + timed[2]
    if start.startswith(("!", "%", "?")) or (start.rstrip().endswith("?") and not start.startswith("#")):
        return indent + "pass"  # an `if` must keep its body
    assigned = _ASSIGNED_SHELL.match(line)
    return f"{assigned[1]}= None" if assigned else line


def _definitions(tree: ast.Module) -> frozenset[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def _bound(table: symtable.SymbolTable) -> frozenset[str]:
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()}
    for inner in _tables(table):
        if inner is not table:
            bound |= {s.get_name() for s in inner.get_symbols() if s.is_declared_global() and s.is_assigned()}
    return frozenset(bound)


def _needed(table: symtable.SymbolTable) -> frozenset[str]:
    used = {s.get_name() for inner in _tables(table) for s in inner.get_symbols()
            if s.is_referenced() and (inner is table or s.is_global())}
    return frozenset(used - _bound(table) - EVERYWHERE)


def _tables(table: symtable.SymbolTable):
    waiting = [table]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(current.get_children())


def _changed(tree: ast.Module) -> frozenset[str]:
    """Names whose contents a top-level statement changes, not the names themselves."""
    targets: list[ast.expr] = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets.append(node.target)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            targets.append(node.value.func)
    return frozenset(base for target in targets if isinstance(target, ast.Attribute | ast.Subscript)
                     and (base := _base(target)))


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


# Putting text right ----------------------------------------------------------------------------------------

def tidy(source: str) -> str:
    """`source` with uniform line ends and without lone surrogates, which no file could hold."""
    return uniform(source).encode("utf-8", "replace").decode("utf-8")


def uniform(source: str) -> str:
    """`source` with line feeds only."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def without_invisible(source: str) -> str:
    """Code in which no-break spaces and invisible characters stand in Python's way, without them.

    Where the code parses as it is they belong to a string or a comment and stay.
    """
    if source.isascii() or not (_INVISIBLE.search(source) or _HARD_SPACE.search(source)) or parses(source):
        return source
    return _HARD_SPACE.sub(" ", _INVISIBLE.sub("", source))


def same(one: str, other: str) -> bool:
    """Whether two sources differ in nothing that a reader sees; see `plain`."""
    return one == other or plain(one) == plain(other)


@lru_cache(maxsize=8192)
def plain(source: str) -> str:
    """`source` without blank lines and space at line ends, with plain spaces, in one Unicode form."""
    text = source
    if not source.isascii():
        text = _HARD_SPACE.sub(" ", _INVISIBLE.sub("", source))
        text = text if _has_marks(text) else unicodedata.normalize("NFC", text)
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def forget() -> None:
    """Drop what is remembered of one submission: a large hostile one must not stay in a worker's memory."""
    for remembered in (names, as_python, plain):
        remembered.cache_clear()


def for_rules(pieces: list[str]) -> str:
    """The pieces of an answer as one text that parses, so that a rule about names sees all that may run.

    Of a piece that does not parse as a whole only the dotted names are left, one a line: IPython may still
    run it, and one broken piece must not hide the others.
    """
    return "\n".join(text if (text := as_python(piece)) is not None else _only_names(piece) for piece in pieces)


def _only_names(source: str) -> str:
    text = re.sub(r"#[^\n]*", "", source)
    found = [re.sub(r"[ \t]", "", name) for name in _DOTTED.findall(text)]
    for module, imported in _FROM.findall(text):
        found += [f"{module}.{name}" for name in re.findall(r"\w+", imported)]
    return "\n".join(name for name in dict.fromkeys(found) if _is_dotted_name(name))


def _is_dotted_name(name: str) -> bool:
    parts = name.split(".")
    return len(parts) <= MAX_DEPTH and all(p.isidentifier() and not keyword.iskeyword(p) for p in parts)
