"""What the answers of a lesson share is put back between them: no cell reaches into another one's check.

All cells of a submission run in one process, since later answers build on earlier ones. A cell may replace a probe,
a function of NumPy or a class of Keras for itself; before the next exercise begins, they are what they were.
"""

from __future__ import annotations

import operator
import re
import sys
from collections.abc import Callable
from functools import partial
from itertools import chain
from types import FunctionType, ModuleType

# Packages of which each public module is remembered, with its functions, its classes and their methods.
PACKAGES = ("unrolled", "numpy", "keras")
# Not what is inside Keras and NumPy: a look at all of it, many times in each child, would cost a fifth of a grading.
_PUBLIC = re.compile(rf"({'|'.join(PACKAGES)})(\.(?!src\b)[a-z]\w*)*|tensorflow")


def remember() -> Callable[[], list[str]]:
    """Remember the modules as they are now; returns a function that puts back what was replaced and names it.

    Put back are functions, classes and modules by their names, the methods of classes, and the code of Python
    functions. Everything else (settings, counters, caches, what a cell added) stays as it is.
    """
    owners: dict[int, object] = {}
    functions: dict[int, FunctionType] = {}
    names: list[tuple[object, tuple[str, ...], tuple[object, ...]]] = []

    def note(owner) -> None:
        if id(owner) in owners:
            return
        owners[id(owner)] = owner
        held = {name: value for name, value in list(vars(owner).items()) if _is_code(value, owner)}
        names.append((owner, tuple(held), tuple(held.values())))
        for value in held.values():
            value = getattr(value, "__func__", value)
            if isinstance(value, FunctionType):
                functions[id(value)] = value
            elif isinstance(value, type) and value.__module__.split(".")[0] in PACKAGES and _may_change(value):
                note(value)

    for name, module in list(sys.modules.items()):
        if _PUBLIC.fullmatch(name):
            note(module)
    codes = tuple(function.__code__ for function in functions.values())
    of = operator.attrgetter("__code__")
    # A cell may replace the built-ins. All names are looked at in one go, twelve times in a child: no loop in Python.
    is_, everything, each, call, joined = operator.is_, all, map, operator.call, chain.from_iterable
    reads = [partial(operator.itemgetter(*held, held[0]), vars(owner)) for owner, held, _ in names if held]
    were = [value for _, held, values in names if held for value in (*values, values[0])]

    def as_it_was() -> bool:
        try:
            return everything(each(is_, joined(each(call, reads)), were))
        except KeyError:  # a name was deleted
            return False

    def put_back() -> list[str]:
        found = []
        if not as_it_was():
            put_back_names(found)
        if not everything(each(is_, each(of, functions.values()), codes)):
            for function, code in zip(functions.values(), codes, strict=True):
                if function.__code__ is not code:
                    function.__code__ = code
                    found.append(f"{function.__module__}.{function.__qualname__}")
        return found

    def put_back_names(found: list[str]) -> None:
        for owner, held, values in names:
            now = vars(owner)
            if everything(each(is_, each(now.get, held), values)):
                continue
            for name, value in zip(held, values, strict=True):
                if now.get(name) is not value:
                    setattr(owner, name, value)
                    found.append(f"{owner.__name__}.{name}")

    return put_back


def _is_code(value, owner) -> bool:
    if isinstance(owner, type):
        return isinstance(value, FunctionType | property | classmethod | staticmethod)
    # A module that loads itself when it is used takes its own place with the loaded one: that is no student's doing.
    return type(value) is ModuleType or (callable(value) and not isinstance(value, ModuleType))


def _may_change(kind: type) -> bool:
    """Whether a class's attributes can be set at all: one written in Python."""
    return bool(kind.__flags__ & 1 << 9)
