"""Systematic wrong answers: each reference answer and each right answer of the library, changed in one place.

Mutation libraries (mutmut, cosmic-ray) change the files of a package and run its test command for each change. Here
the program under test is one cell in a lesson's namespace and the test is the judge, so the changes are made here,
on the syntax tree.

    python -m tests.mutants                    all exercises: killed / equivalent / survived, by exercise
    python -m tests.mutants lstm.step          one exercise, each survivor shown as a difference
    python -m tests.mutants lstm.step --limit 40
    python -m tests.mutants lstm.step --kind dropped

A mutant is killed if it is not accepted on any of the seeds. What survives because it computes the same is listed in
``tests/equivalent/<topic>.toml``, with the reason.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import difflib
import io
import random
import signal
import sys
import tomllib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograde.authoring import answers
from autograde.judging import oracles
from tests.classroom import classroom

SEEDS = (11, 12, 13)
SECONDS = 10  # for one mutant on one seed: a changed loop may never end
EQUIVALENT = Path(__file__).with_name("equivalent")  # one table a topic

OPERATORS = {ast.Add: [ast.Sub, ast.Mult], ast.Sub: [ast.Add], ast.Mult: [ast.Add, ast.Div], ast.Div: [ast.Mult],
             ast.MatMult: [ast.Mult], ast.Pow: [ast.Mult], ast.FloorDiv: [ast.Mult], ast.Mod: [ast.FloorDiv]}
COMPARISONS = {ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt], ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt],
               ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is]}
FUNCTIONS = {"tanh": ["sigmoid", "relu"], "sigmoid": ["tanh", "hard_sigmoid"], "sum": ["mean"], "mean": ["sum"],
             "max": ["min"], "min": ["max"], "maximum": ["minimum"], "minimum": ["maximum"], "argmax": ["argmin"],
             "zeros": ["ones"], "ones": ["zeros"], "zeros_like": ["ones_like"], "ones_like": ["zeros_like"],
             "softmax": ["sigmoid"], "log": ["log2"], "exp": ["expm1"], "stack": ["concatenate"],
             "concatenate": ["stack"], "cumsum": ["cumprod"], "cumprod": ["cumsum"], "any": ["all"], "all": ["any"],
             "vstack": ["hstack"], "hstack": ["vstack"], "floor": ["ceil"]}
# A call of these changes its argument's values or its shape; without it the argument goes on as it is.
TRANSPARENT = {"tanh", "sigmoid", "exp", "log", "flip", "reversed", "transpose", "cumsum", "softmax", "sqrt", "abs",
               "square", "squeeze", "expand_dims", "sorted"}
HERE = "__import__('tests.mutants').mutants"  # how a mutant finds this module
# Their arguments may stand in any order: swapping them changes nothing.
COMMUTATIVE = {"add", "multiply", "maximum", "minimum", "equal", "not_equal", "logical_and", "logical_or", "logaddexp"}


@dataclass(frozen=True)
class Mutant:
    """One changed answer: what was changed, in words, and the whole source."""

    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of one answer, each once.

    Left alone is what has no effect on anybody: `super().build(...)` and ``self.built = True``; Keras does both itself.
    """
    tree = ast.parse(source)
    methods = {f for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for f in c.body}
    seen = {ast.unparse(tree)}
    whatever = {n for c in ast.walk(tree) if isinstance(c, ast.Call) and _name(c) == "reshape" for n in ast.walk(c)
                if isinstance(n, ast.Constant)}  # any negative size means the same to NumPy
    axes = {k.value for k in ast.walk(tree) if isinstance(k, ast.keyword) and k.arg == "axis"}
    for index, node in enumerate(ast.walk(tree)):
        if ast.unparse(node).startswith(("super().build(", "self.built =")):
            continue
        for number in range(len(list(_changes(node)))):
            changed = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(changed)) if i == index)
            what, change = list(_changes(target))[number]
            if node in axes and what == "minus dropped":  # axis=-1 and axis=1 are the same for a matrix
                what, change = "another axis", lambda: ast.Constant(0)
            if node in whatever and what == "1 → 2":
                continue
            if node in methods and what.startswith("writes into"):
                continue  # a layer gets tensors, which nobody can write into
            replacement = change()
            if replacement is not None:
                _replace(changed, target, replacement)
            try:
                text = ast.unparse(ast.fix_missing_locations(changed))
                compile(text, "<mutant>", "exec")
            except (SyntaxError, ValueError, AttributeError):
                continue
            if text not in seen:
                seen.add(text)
                yield Mutant(f"line {getattr(node, 'lineno', 0)}: {what}", text)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST | list) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list) and any(item is old for item in value):
                at = next(i for i, item in enumerate(value) if item is old)
                value[at:at + 1] = new if isinstance(new, list) else [new]
                return


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What can be changed at a node: words, and a function that does it in place or returns a replacement."""
    match node:
        case ast.BinOp():
            for new in OPERATORS.get(type(node.op), []):
                if new is ast.Sub and _negligible(node.right):
                    continue
                yield f"{_word(node.op)} → {_word(new)}", lambda new=new: setattr(node, "op", new())
            if isinstance(node.op, ast.MatMult):
                yield "operands of @ swapped", lambda: ast.parse(
                    f"{HERE}.swapped({ast.unparse(node.left)}, {ast.unparse(node.right)})", mode="eval").body
                yield "right operand transposed", lambda: ast.BinOp(node.left, ast.MatMult(), ast.parse(
                    f"{HERE}.turned({ast.unparse(node.right)})", mode="eval").body)
            if isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
                yield "left operand only", lambda: node.left
                yield "right operand only", lambda: node.right
            if isinstance(node.op, ast.Add) and not _negligible(node.right):
                yield "right operand twice", lambda: ast.BinOp(node, ast.Add(), copy.deepcopy(node.right))
        case ast.UnaryOp():
            yield f"{_word(node.op)} dropped", lambda: node.operand
        case ast.Compare(ops=[op]):
            for new in COMPARISONS.get(type(op), []):
                yield f"{_word(op)} → {_word(new)}", lambda new=new: setattr(node, "ops", [new()])
        case ast.BoolOp():
            yield "and ↔ or", lambda: setattr(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.IfExp():
            yield "always the first", lambda: node.body
            yield "always the other", lambda: node.orelse
        case ast.Constant(value=bool()):
            yield f"{node.value} → {not node.value}", lambda: ast.Constant(not node.value)
        case ast.Constant(value=int()):
            for new in (node.value + 1, node.value - 1):
                yield f"{node.value} → {new}", lambda new=new: ast.Constant(new)
        case ast.Constant(value=float()):
            if not node.value or 1e-6 < node.value < 1e6:  # twice as tiny or as huge is as good
                yield f"{node.value} → {node.value * 2 or 1.0}", lambda: ast.Constant(node.value * 2 or 1.0)
            yield f"{node.value} → 0.0", lambda: ast.Constant(0.0)
        case ast.Attribute(attr="T"):
            yield ".T dropped", lambda: node.value
        case ast.Attribute() if node.attr in FUNCTIONS:
            for new in FUNCTIONS[node.attr]:
                yield f"{node.attr} → {new}", lambda new=new: setattr(node, "attr", new)
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            for size in (1, 3, 5, 7):
                yield f"{ast.unparse(node)} → {size}", lambda size=size: ast.Constant(size)
        case ast.Slice():
            for end in ("lower", "upper"):
                bound = getattr(node, end)
                if bound is not None:
                    yield f"{end} bound dropped", lambda end=end: setattr(node, end, None)
                    for by in (1, -1):
                        yield f"{end} bound {by:+d}", lambda end=end, bound=bound, by=by: setattr(
                            node, end, ast.BinOp(bound, ast.Add(), ast.Constant(by)))
            if node.step is not None:
                yield "step dropped", lambda: setattr(node, "step", None)
        case ast.Call():
            yield from _changes_of_call(node)
        case ast.Tuple(elts=[_, _, *_]) if isinstance(node.ctx, ast.Load):
            yield "first two swapped", lambda: node.elts.__setitem__(slice(0, 2), node.elts[1::-1])
        case ast.For() | ast.While():
            yield "ends after the first turn", lambda: node.body.append(ast.Break())
            yield "never runs", lambda: ast.Pass()
        case ast.If():
            yield "always", lambda: node.body
            yield "never", lambda: node.orelse or ast.Pass()
        case ast.Return() if node.value is not None:
            yield "returns None", lambda: ast.Return(None)
        case ast.AugAssign():
            yield "= for an augmented assignment", lambda: ast.Assign([node.target], node.value)
            yield "statement dropped", lambda: ast.Pass()
        case ast.Assign() | ast.Expr(value=ast.Call()):
            yield "statement dropped", lambda: ast.Pass()
        case ast.FunctionDef():
            yield from _changes_of_function(node)
        case ast.ClassDef():
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name not in ("__init__", "call"):
                    yield f"method {method.name} dropped", lambda method=method: node.body.remove(method)
        case _:
            return


def _changes_of_call(node: ast.Call) -> Iterator[tuple[str, object]]:
    name = _name(node)
    for at, keyword in enumerate(node.keywords):
        yield f"{name}: {keyword.arg} dropped", lambda at=at: node.keywords.__delitem__(at)
    if len(node.args) >= 2:
        if name not in COMMUTATIVE:
            yield f"{name}: first two arguments swapped", lambda: node.args.__setitem__(slice(0, 2), node.args[1::-1])
        yield f"{name}: last argument dropped", lambda: node.args.__delitem__(-1)
    if name in TRANSPARENT and node.args:
        yield f"{name} left out", lambda: node.args[0]
    if name == "range":
        yield "one turn less", lambda: node.args.__setitem__(
            -1, ast.BinOp(node.args[-1], ast.Sub(), ast.Constant(1)))
    if name == "add_weight":
        yield "a weight that is not trained", lambda: node.keywords.append(
            ast.keyword("trainable", ast.Constant(False)))
        yield "another initialiser", lambda: setattr(node, "keywords", [
            k for k in node.keywords if k.arg != "initializer"] + [ast.keyword("initializer", ast.Constant("ones"))])


def _negligible(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1e-6


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _changes_of_function(node: ast.FunctionDef) -> Iterator[tuple[str, object]]:
    """What a whole function may do besides: write into its arguments, remember, lose precision."""
    rebound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    arguments = [a.arg for a in node.args.args if a.arg not in {"self", "cls", *rebound}]
    for name in arguments:
        spoil = ast.parse(f"{HERE}.spoil({name})").body
        yield f"writes into {name} at the end", lambda spoil=spoil: setattr(node, "body", [
            ast.Try(body=node.body, handlers=[], orelse=[], finalbody=spoil)])
    returned = [n for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None]
    if returned and node.name not in ("get_config", "compute_mask", "compute_output_shape"):
        def halve():
            for statement in returned:
                statement.value = ast.parse(f"{HERE}.half({ast.unparse(statement.value)})", mode="eval").body
        yield "half precision", halve


class NothingToChange(BaseException):
    """A mutant that is none: it would write into a number, round whole numbers or transpose a vector."""


def swapped(left, right):
    """``right @ left``. Raises NothingToChange for two vectors."""
    import numpy as np

    if np.ndim(left) == np.ndim(right) == 1:
        raise NothingToChange
    return right @ left


def turned(value):
    """`value` transposed. Raises NothingToChange for a vector."""
    import numpy as np

    if np.ndim(value) < 2:
        raise NothingToChange
    return value.T


def spoil(value):
    """Write into an array, or empty a list. Raises NothingToChange for a number, a text or a tensor."""
    import numpy as np

    if isinstance(value, np.ndarray):
        value[...] = 0
    elif hasattr(value, "clear"):
        value.clear()
    elif value is not None:  # which may be an array in the next case
        raise NothingToChange


def half(value):
    """`value` rounded to float16 wherever it holds floating-point numbers. Raises NothingToChange if nowhere."""
    rounded, floats = _half(value)
    if not floats:
        raise NothingToChange
    return rounded


def _half(value):
    """`value` with its floating-point numbers rounded, and whether it holds any."""
    import numpy as np
    from keras import ops

    if isinstance(value, dict):
        pairs = {key: _half(item) for key, item in value.items()}
        return {key: item for key, (item, _) in pairs.items()}, any(floats for _, floats in pairs.values())
    if isinstance(value, list | tuple):
        pairs = [_half(item) for item in value]
        return type(value)(item for item, _ in pairs), any(floats for _, floats in pairs)
    if isinstance(value, float) or "float" in str(getattr(value, "dtype", "")):
        if isinstance(value, float | np.generic | np.ndarray):
            return np.asarray(value, np.float16).astype(np.asarray(value).dtype), True
        return ops.cast(ops.cast(value, "float16"), value.dtype), True
    return value, False


def _word(operator) -> str:
    words = {"Add": "+", "Sub": "−", "Mult": "*", "Div": "/", "MatMult": "@", "Pow": "**", "Lt": "<", "LtE": "<=",
             "Gt": ">", "GtE": ">=", "Eq": "==", "NotEq": "!=", "USub": "minus", "Not": "not", "Invert": "~",
             "FloorDiv": "//", "Mod": "%"}
    name = operator.__name__ if isinstance(operator, type) else type(operator).__name__
    return words.get(name, name)


# Trying them -------------------------------------------------------------------------------------------------


class _TooLong(BaseException):
    pass


@contextlib.contextmanager
def _bounded(seconds: int):
    def stop(signum, frame):
        raise _TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def accepted(exercise: str, lesson: str, source: str, seeds=SEEDS) -> bool:
    """Whether an answer earns full marks on any of the seeds. Raises NothingToChange if that is all it would do."""
    for seed in seeds:
        try:
            with (_bounded(SECONDS), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
                  contextlib.redirect_stderr(io.StringIO())):
                warnings.simplefilter("ignore")
                if classroom(lesson).passes(exercise, source, seed):
                    return True
        except _TooLong:
            return False  # it would not end on the other seeds either
        except Exception:
            continue
    return False


def originals(exercise: str, lesson: str) -> dict[str, str]:
    """The reference answer and the right answers of the library."""
    reference = classroom(lesson).answers[exercise]
    right = answers.topic(exercise.partition(".")[0]).RIGHT.get(exercise, {})
    return {answers.REFERENCE: reference} | {style: answers.text(answer, reference) for style, answer in right.items()}


def equivalents() -> dict[str, set[str]]:
    """By exercise, the differences of mutants that compute the same as their original."""
    tables = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(EQUIVALENT.glob("*.toml"))]
    return {exercise: {entry["change"] for entry in entries} for table in tables for exercise, entries in table.items()}


def difference(original: str, mutant: str) -> str:
    """The changed lines, on one line: how a mutant is named among the equivalent ones."""
    lines = difflib.ndiff(ast.unparse(ast.parse(original)).splitlines(), mutant.splitlines())
    return " ".join(f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-")


def survey(exercise: str, lesson: str, limit: int | None = None, seed: int = 0, kind: str = ""):
    """Try an exercise's mutants: (killed, equivalent, survivors), each survivor as (original, what, difference).

    kind: only those whose `what` holds this text. limit: so many of them, drawn at random.
    """
    known = equivalents().get(exercise, set())
    found = [(name, source, mutant) for name, source in originals(exercise, lesson).items()
             for mutant in mutants(source) if kind in mutant.what]
    if limit is not None and len(found) > limit:
        found = random.Random(seed).sample(found, limit)
    killed = equivalent = 0
    survivors = []
    for name, source, mutant in found:
        change = difference(source, mutant.source)
        if change in known:
            equivalent += 1
            continue
        try:
            survives = accepted(exercise, lesson, mutant.source)
        except NothingToChange:
            continue  # no mutant at all
        if survives:
            survivors.append((name, mutant.what, change))
        else:
            killed += 1
    return killed, equivalent, survivors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.split("\n")[0])
    parser.add_argument("exercises", nargs="*", help="such as lstm.step; all of them if none is named")
    parser.add_argument("--limit", type=int, help="try so many of an exercise's mutants, drawn at random")
    parser.add_argument("--kind", default="", help="only changes that are called so, such as 'dropped'")
    given = parser.parse_args()
    lessons = {ex.id: module.LESSON for module in oracles.topics().values() for ex in module.EXERCISES}
    total = 0
    print(f"{'exercise':<28}{'killed':>8}{'equivalent':>12}{'survived':>10}")
    for exercise in given.exercises or lessons:
        killed, equivalent, survivors = survey(exercise, lessons[exercise], given.limit, kind=given.kind)
        print(f"{exercise:<28}{killed:>8}{equivalent:>12}{len(survivors):>10}", flush=True)
        for name, what, change in survivors:
            print(f"    {name}: {what}\n        {change}")
        total += len(survivors)
    return 1 if total else 0


if __name__ == "__main__":
    from tests import mutants as by_its_name  # the mutants import it so

    sys.exit(by_its_name.main())
