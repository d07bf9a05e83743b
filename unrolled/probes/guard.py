"""What an answer has to write itself cannot be used while that answer is tried.

An exercise may forbid names (``keras.layers.LSTM``, a helper that the lesson gives). Reading the answer's text finds
most uses and can never find all: there are many roads to a class. So while a probe runs, what the names stand for is
put out of use: every function behind them, and behind their relatives below, raises `WriteItYourself`, on whatever
road it was reached. Only Python functions can be put out of use; `docs/hostile.md` says what that leaves open.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from types import CodeType, FunctionType, ModuleType

WORDS = "Here you write it yourself: {} may not be used in this answer."
_SAID = re.compile(re.escape(WORDS).replace(r"\{\}", r"[\w., ]{1,200}?"))
# What does the same as a name, or is the work behind it: by the end of the name, what else goes out of use.
_RECURRENT = ("tensorflow.raw_ops.CudnnRNN*", "tensorflow.python.ops.gen_cudnn_rnn_ops.cudnn_rnn*")
_TAPE = ("tensorflow.GradientTape", "tensorflow.gradients", "tensorflow.compat.v1.gradients", "tensorflow.hessians",
         "tensorflow.autodiff.ForwardAccumulator", "tensorflow.python.eager.tape.push_new_tape",
         # By name: what else is in that module every operation on an array asks whether a tape is listening.
         *(f"tensorflow.python.eager.backprop.{name}" for name in (
             "GradientTape", "gradients_function", "implicit_grad", "implicit_val_and_grad", "make_vjp",
             "val_and_grad_function")),
         "tensorflow.python.ops.gradients_util._GradientsHelper")
RELATIVES = {
    "LSTM": ("keras.src.backend.tensorflow.rnn.*lstm", "tensorflow.raw_ops.*LSTM*",
             "tensorflow.python.ops.gen_rnn_ops.*lstm*", *_RECURRENT),
    "GRU": ("keras.src.backend.tensorflow.rnn.*gru", "tensorflow.raw_ops.GRU*",
            "tensorflow.python.ops.gen_rnn_ops.gru*", *_RECURRENT),
    "SimpleRNN": _RECURRENT,
    "RNN": ("keras.src.backend.tensorflow.rnn.rnn", "tensorflow.compat.v1.nn.dynamic_rnn", *_RECURRENT),
    "GradientTape": _TAPE,
    "gradient": ("numpy.gradient",),
    "reverse_sequence": ("tensorflow.compat.v1.reverse_sequence", "tensorflow.raw_ops.ReverseSequence",
                         "tensorflow.python.ops.gen_array_ops.reverse_sequence*",
                         "tensorflow.python.ops.array_ops.reverse_sequence*"),
    "clip_by_global_norm": ("tensorflow.compat.v1.clip_by_global_norm",
                            "keras.src.optimizers.base_optimizer.clip_by_global_norm"),
    "Orthogonal": ("tensorflow.compat.v1.orthogonal_initializer", "tensorflow.compat.v1.initializers.orthogonal",
                   "tensorflow.python.ops.init_ops_v2.Orthogonal", "tensorflow.python.ops.init_ops.Orthogonal"),
}
_SHORT = {"tf": "tensorflow", "np": "numpy"}
_found: dict[str, tuple[FunctionType, ...]] = {}


class WriteItYourself(Exception):
    """An answer used what it has to write itself. The message says so to the student."""


def said_in(message: str) -> str:
    """The sentence of a `WriteItYourself` in an error's message, which Keras and TensorFlow may have wrapped in their
    own; empty if there is none."""
    found = _SAID.search(message)
    return found[0] if found else ""


@contextmanager
def out_of_use(names: tuple[str, ...]):
    """While the block runs, every function behind the dotted `names` and their relatives raises `WriteItYourself`.

    A name that stands for nothing here (a library that is not loaded, a name of the notebook) is passed over.
    """
    changed: dict[FunctionType, CodeType] = {}
    try:
        for name in names:
            error = WriteItYourself(WORDS.format(name))
            for function in _functions_behind(name):
                if function not in changed:
                    changed[function] = function.__code__
                    function.__code__ = _refusal(function.__code__, error)
        yield
    finally:
        for function, code in changed.items():
            function.__code__ = code


def _template():
    raise "the error"  # noqa: B016  (its place among the constants is what counts)


def _refusal(code: CodeType, error: WriteItYourself) -> CodeType:
    """`code` with the same parameters (Keras reads them) and nothing in it but raising `error`."""
    body = _template.__code__
    constants = tuple(error if value == "the error" else value for value in body.co_consts)
    waits = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    return code.replace(co_code=body.co_code, co_consts=constants, co_exceptiontable=body.co_exceptiontable,
                        co_linetable=body.co_linetable, co_stacksize=body.co_stacksize, co_flags=code.co_flags & ~waits)


def prepare() -> None:
    """Look up what most lessons forbid now, in the warm process, and not in every child."""
    cells = ("LSTM", "GRU", "SimpleRNN")
    for name in ("unrolled.layers", "keras.layers.RNN", "keras.layers.Bidirectional", "tensorflow.GradientTape",
                 "tf.GradientTape", *(f"keras.layers.{cell}{end}" for cell in cells for end in ("", "Cell"))):
        _functions_behind(name)


def _functions_behind(name: str) -> tuple[FunctionType, ...]:
    """The functions that go out of use with a name. Looked up once: one exercise after the other forbids the same."""
    found = _found.get(name)
    if found is None:
        relatives = RELATIVES.get(name.rpartition(".")[2], ())
        found = tuple(dict.fromkeys(function for road in (name, *relatives) for thing in _find(road)
                                    for function in _functions_of(thing)))
        # What is not loaded yet may be before the next try: nothing is remembered until it is.
        if found and "tensorflow" in sys.modules:
            _found[name] = found
    return found


def _functions_of(thing: object) -> Iterator[FunctionType]:
    """The Python functions that are a function, a class or a module of ours."""
    if isinstance(thing, FunctionType):
        while isinstance(thing, FunctionType):  # a decorated function, and the one within
            yield thing
            thing = getattr(thing, "__wrapped__", None)
    elif isinstance(thing, type):
        for value in vars(thing).values():
            value = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            # An enumeration holds Enum's own __new__, which every other one needs, in every thread.
            if isinstance(value, FunctionType) and value.__module__ not in sys.stdlib_module_names:
                yield from _functions_of(value)
    elif isinstance(thing, ModuleType):
        prefix = thing.__name__
        for module in [m for key, m in list(sys.modules.items()) if key == prefix or key.startswith(f"{prefix}.")]:
            for value in list(vars(module).values()):
                if isinstance(value, type | FunctionType) and getattr(value, "__module__", "") == module.__name__:
                    yield from _functions_of(value)
    elif hasattr(thing, "_implementation"):  # NumPy's functions wear a dispatcher
        yield from _functions_of(thing._implementation)


def _find(dotted: str) -> list[object]:
    """What a dotted name stands for; its last word may be a pattern. Nothing is imported but the course's own."""
    root, *rest = dotted.split(".")
    root = _SHORT.get(root, root)
    if root == "unrolled":
        for end in range(len(rest), 0, -1):
            module = ".".join([root, *rest[:end]])
            try:
                importlib.import_module(module)
                break
            except ModuleNotFoundError:
                continue
    if root not in sys.modules or not rest:
        return []
    thing = sys.modules[root]
    path = root
    for word in rest[:-1]:
        path = f"{path}.{word}"
        thing = sys.modules.get(path) or getattr(thing, word, None)
        if thing is None:
            return []
    if "*" not in rest[-1]:
        found = getattr(thing, rest[-1], None)
        return [] if found is None else [found]
    return [value for key, value in list(vars(thing).items()) if fnmatchcase(key, rest[-1])
            and (not isinstance(thing, ModuleType) or getattr(value, "__module__", path) != "builtins")
            and isinstance(value, type | FunctionType)]
