"""Source rules: "here you write it yourself". What of an answer's text uses a name that it may not.

This is the early word, on the student's machine and in the grader alike. It takes a name for what the text says it
is and guesses nothing: a name that the answer assigns is its own, and a look-up by a computed name is left to
`unrolled.probes.guard`, which puts the forbidden things out of use while the answer is tried.
"""

from __future__ import annotations

import ast

from autograde.intake import sources


def forbidden_names(source: str, forbids: tuple[str, ...]) -> list[str]:
    """Which of the dotted names in `forbids` the source uses.

    ``keras.layers.LSTM`` is found as ``keras.layers.LSTM``, ``layers.LSTM``, ``LSTM`` after an import from ``keras``,
    and as ``.LSTM`` of anything but ``self``. A function, class or variable of the student's own that has the same
    name is no use of it.
    """
    words = {_last(name) for name in forbids}
    if not forbids or (source.isascii() and not any(word in source for word in words)):
        return []  # these words can be spelled in no other way
    tree = sources.tree(source)
    if tree is None:
        return []
    found = _Names(tree)
    return sorted({name for spoken in found.spoken for name in _meant(spoken, found, forbids)})


def in_words(forbids: tuple[str, ...]) -> str:
    """A sentence in Markdown that says what an answer may not use; empty if it may use everything.

    A library's short and long name are one thing, and so are a helper and the name a lesson imports it under.
    """
    given = sorted({_last(name) for name in forbids if name.startswith("unrolled.lessons.")})
    others = [f"`{name}`" for name in forbids if not name.startswith(("unrolled.lessons.", "tensorflow.", "numpy."))
              and _last(name) not in given]
    if given:
        others.append(f"the lesson's own {_listed([f'`{name}`' for name in given])}")
    return f"*Write it yourself, without {_listed(others)}.*" if others else ""


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


class _Names:
    """The names in a piece of code: `spoken` (dotted), `imported` (what an import calls them; of a star, the modules
    in `stars`) and the student's `own` (functions, classes, parameters, whatever is assigned)."""

    def __init__(self, tree: ast.AST):
        self.spoken: set[str] = set()
        self.imported: dict[str, str] = {}
        self.stars: list[str] = []
        self.own: set[str] = set()
        for node in ast.walk(tree):  # not recursive, however deep the code is nested
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    self.own.add(node.name)
                case ast.arg():
                    self.own.add(node.arg)
                case ast.ExceptHandler(name=str(name)):
                    self.own.add(name)
                case ast.Name(ctx=ast.Store()):
                    self.own.add(node.id)
                case ast.Import():
                    for alias in node.names:
                        if alias.asname:
                            self.imported[alias.asname] = alias.name
                case ast.ImportFrom():
                    for alias in node.names:
                        if alias.name == "*":
                            self.stars.append(node.module or "")
                        else:
                            self.imported[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
                case ast.Call(func=ast.Name(id="getattr"), args=[owner, ast.Constant(value=name), *_]):
                    self.spoken.add(f"{_dotted(owner)}.{name}")
                case ast.Attribute():
                    self.spoken.add(f"{_dotted(node.value)}.{node.attr}")
                case ast.Name():
                    self.spoken.add(node.id)


def _meant(spoken: str, found: _Names, forbids: tuple[str, ...]) -> set[str]:
    """Which forbidden names a spoken one stands for."""
    head, _, rest = spoken.partition(".")
    own = head in found.own and head not in found.imported
    if own and not rest:
        return set()
    full = ".".join(filter(None, [found.imported.get(head, head), rest]))
    said = {full} | ({f"{module}.{full}" for module in found.stars} if head not in found.imported else set())
    meant = set() if own else {f for f in forbids if f in said or any(
        "." in s and (f.endswith(f".{s}") or ("." in f and s.startswith(f"{f}."))) for s in said)}
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
