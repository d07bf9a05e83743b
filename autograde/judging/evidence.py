"""What an output that is not right shows of itself, in words: never an expected value of hidden inputs."""

from __future__ import annotations

import re

import numpy as np

from autograde.judging.exercise import Aspect, Case, Exercise

# What TensorFlow says, and what it means.
_MEANINGS = tuple((re.compile(pattern, re.S), meaning) for pattern, meaning in (
    (r"Matrix size-incompatible: In\[0\]: (\[[\d,]*\]), In\[1\]: (\[[\d,]*\])",
     r"a matrix product of shapes \1 and \2 does not exist: the last axis of the first must be as long as the "
     r"first axis of the second"),
    (r"(?:Incompatible shapes: |required broadcastable shapes.*?)(\[[\d,]*\]) vs\. (\[[\d,]*\])",
     r"shapes \1 and \2 do not fit together element by element"),
    (r"required broadcastable shapes", "two shapes do not fit together element by element"),
    (r"Value for attr '(?:Tindices|Tidx|TI)' of (\w+) is not in the list",
     r"symbols and indices must be integers; yours are \1"),
    (r"cannot compute (\w+) as input #\d+\S* was expected to be an? (\w+) tensor but is an? (\w+) tensor",
     r"\1 was given numbers of two kinds, \2 and \3: convert one of them with ops.cast"),
    (r"Dimensions of inputs should match: shape\[0\] = (\[[\d,]*\]) vs\. shape\[\d+\] = (\[[\d,]*\])",
     r"shapes \1 and \2 cannot be concatenated: all their other axes must agree"),
    (r"indices\S* = (-?\d+) is not in \[0, (\d+)\)", r"index \1 is not one of the \2 there are"),
    (r"Expected int32, but got None of type", "a size is not known yet: while a model is built, x.shape[0] is None; "
     "ops.shape(x)[0] works there too"),
    (r"slice index (-?\d+) of dimension (\d+) out of bounds", r"there is no index \1 along axis \2"),
    (r"symbolic `?tf\.Tensor|'SymbolicTensor' object|numpy\(\) is only available",
     "a model is built from symbols before there are numbers, and NumPy and Python cannot compute with "
     "these: use `ops` everywhere in `call`"),
    (r"'NoneType' object cannot be interpreted as an integer", "how many sequences and steps there will be is not "
     "known while a model is built (their axes are None), and your code counts on it"),
    (r"object does not support item assignment",
     "a tensor cannot be changed in place: collect the pieces in a list, then ops.stack or ops.concatenate them"),
))


def difference(exercise: Exercise, aspect: Aspect, case: Case, key: str, right: np.ndarray,
               got: np.ndarray | None, reveal: bool) -> str:
    """Why the output `key` of a case is not `right`, in words; empty if it is.

    Parameters
    ----------
    got : what came back, None if nothing did.
    reveal : show the expected value as well. Never for inputs that are used to grade.
    """
    tried = f"Tried: {case.about or case.name}."
    name = key.partition("/")[2]
    if got is None:
        return f"{tried} Nothing came back for `{name}`."
    if got.shape != right.shape:
        return f"{tried} `{name}` should have shape {right.shape}; yours has {got.shape}."
    if aspect.shape_only or close(exercise, got, right):
        return ""
    counted = right.dtype.kind in "iub"  # labels and counts: how far off a label is means nothing
    got, right = np.asarray(got, np.float64), np.asarray(right, np.float64)
    if bad := int((~np.isfinite(got) & np.isfinite(right)).sum()):  # log 0 is minus infinity, and may be right
        return f"{tried} `{name}` holds {bad} value{'s' * (bad > 1)} that {'are' if bad > 1 else 'is'} not finite."
    with np.errstate(invalid="ignore"):
        gap = np.abs(np.where(got == right, 0.0, got - right))
    wrong = gap > exercise.atol + exercise.rtol * np.abs(right)
    if not right.shape:
        if reveal:
            return f"{tried} `{name}` should be {right:.6g}; yours is {got:.6g}."
        return f"{tried} `{name}` is not the expected number{'' if counted else f': it is off by about {gap:.1g}'}."
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    text = f"{tried} `{name}` differs in {int(wrong.sum())} of {wrong.size} places, first at {list(first)}"
    if reveal:
        text += f": expected {right[first]:.6g}, got {got[first]:.6g}"
    return f"{text}." if counted else f"{text}; largest gap {gap.max():.2g}."


def not_written(error: tuple[str, ...]) -> bool:
    """Whether an error is the stub's own, which says nothing. TensorFlow raises NotImplementedError with words."""
    return error[0] == "NotImplementedError" and not _plain(error[1])


def stopped(case: Case, error: tuple[str, ...]) -> str:
    """That a case ended in an error, and where: ``(type, message, the student's line)``."""
    kind, message, *where = error
    tried = f"Tried: {case.about or case.name}."
    if not_written(error):
        return f"{tried} This part is not written yet."
    line = f" in {where[0]}" if where and where[0] else ""
    return f"{tried} Your code stopped{line}, with {kind}: {_short(message)}"


def _plain(message: str) -> str:
    """The message without Keras's account of the call around it."""
    plain = re.sub(r"\x1b\[[0-9;]*m|\{\{function_node [^}]*\}\} ?", "", message).strip()
    plain = re.sub(r"^(Exception encountered when calling [^\n]*\n+)+", "", plain)
    plain = re.sub(r"^Could not automatically infer [^\n]* Error encountered:\n+", "", plain)
    return re.sub(r"\n*Arguments received by .*", "", plain, flags=re.S).strip()


def _short(message: str, limit: int = 200) -> str:
    plain = _plain(message)
    for pattern, meaning in _MEANINGS:
        found = pattern.search(plain)
        if found:
            return f"{found.expand(meaning)}."
    first = plain.split("\n\n")[0].replace("\n", " ").strip()
    first = first if len(first) <= limit else first[: limit - 1] + "…"
    return first if first.endswith((".", "!", "?", "…")) else f"{first}."


def close(exercise: Exercise, got: np.ndarray, right: np.ndarray, equal_nan: bool = False) -> bool:
    """Whether two arrays have one shape and, within the exercise's tolerance, the same values."""
    return got.shape == right.shape and bool(
        np.allclose(np.asarray(got, np.float64), np.asarray(right, np.float64),
                    rtol=exercise.rtol, atol=exercise.atol, equal_nan=equal_nan))
