"""Source rules: "here you write it yourself". What of an answer's text uses a name that it may not."""

from __future__ import annotations

import ast

from autograde.intake import sources

# What finds a thing by a name that is not in the code; of these, what is harmless as a method (`model.compile`).
_HIDING = frozenset({"eval", "exec", "compile", "getattr", "attrgetter", "getmembers", "globals", "locals",
                     "__import__", "import_module", "importlib", "builtins", "__builtins__", "__dict__",
                     "__getattribute__"})
_METHODS = frozenset({"eval", "exec", "compile", "locals", "globals"})


def forbidden_names(source: str, forbids: tuple[str, ...]) -> list[str]:
    """Which of the dotted names in `forbids` the source uses, and what in it could hide such a use.

    ``keras.layers.LSTM`` is found as ``keras.layers.LSTM``, ``layers.LSTM``, ``LSTM`` after an import from ``keras``,
    and as ``.LSTM`` of anything but ``self``. A class of the student's own that has the same name is no use of the
    built-in. Names put together while the code runs (``eval``, ``getattr`` with a computed name) cannot be read
    here; where a rule holds they are named too.
    """
    words = {_last(name) for name in forbids}
    if not forbids or (source.isascii() and not any(word in source for word in words | _HIDING)):
        return []  # these words can be spelled in no other way
    tree = sources.tree(source)
    if tree is None:
        return []
    found = _Names(tree)
    used = {name for spoken in found.spoken for name in _meant(spoken, found, forbids)}
    return sorted(used) + sorted(f"{word} (names have to stand in the code)" for word in found.hiding - found.own)


class _Names:
    """The names in a piece of code: `spoken` (dotted), `imported` (what an import calls them), the student's `own`
    (functions, classes), and those `hiding` others."""

    def __init__(self, tree: ast.AST):
        self.spoken: set[str] = set()
        self.imported: dict[str, str] = {}
        self.own: set[str] = set()
        self.hiding: set[str] = set()
        harmless: set[ast.AST] = set()
        for node in ast.walk(tree):  # not recursive, however deep the code is nested; parents come first
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    self.own.add(node.name)
                case ast.Import():
                    for alias in node.names:
                        self._import(alias.asname, alias.name)
                case ast.ImportFrom():
                    for alias in node.names:
                        self._import(alias.asname or alias.name, f"{node.module or ''}.{alias.name}")
                case ast.Call(func=ast.Name(id="getattr") as function, args=[owner, ast.Constant(value=name), *_]):
                    self.spoken.add(f"{_dotted(owner)}.{name}")
                    harmless.add(function)
                case ast.Call(func=ast.Name(id="getattr") as function, args=[ast.Name(id="self"), *_]):
                    harmless.add(function)
                case ast.Attribute():
                    self.spoken.add(f"{_dotted(node.value)}.{node.attr}")
                    self.hiding |= _HIDING & {node.attr} - _METHODS
                case ast.Name() if node not in harmless:
                    self.spoken.add(node.id)
                    self.hiding |= _HIDING & {node.id}

    def _import(self, name: str | None, full: str) -> None:
        self.hiding |= _HIDING & {*full.split(".")}
        if name:
            self.imported[name] = full


def _meant(spoken: str, found: _Names, forbids: tuple[str, ...]) -> set[str]:
    """Which forbidden names a spoken one stands for."""
    head, _, rest = spoken.partition(".")
    if head in found.own and head not in found.imported and not rest:
        return set()
    full = ".".join(filter(None, [found.imported.get(head, head), rest]))
    meant = {f for f in forbids if f == full or ("." in full and f.endswith("." + full))}
    if (rest or "." in full) and not full.startswith("self."):
        meant |= {f for f in forbids if _names_one_thing(f) and _last(f) == _last(full)}
    return meant


def _names_one_thing(dotted: str) -> bool:
    """Whether the last word is a library's own wherever it stands (``LSTM``, ``reverse_sequence``, not ``grad``)."""
    last = _last(dotted)
    return "." in dotted and not dotted.startswith("unrolled.") and (last != last.lower() or "_" in last)


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` of an attribute of a name, empty for an attribute of anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
