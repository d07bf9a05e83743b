"""Each layer of `unrolled.layers` beside Keras's own: forward, training step, first call and memory.

    python benchmarks/layers.py                         # TensorFlow, three sizes, plain and compiled: some 20 minutes
    python benchmarks/layers.py --layer GRU --size 1    # part of it
    KERAS_BACKEND=jax python benchmarks/layers.py       # or torch: with their compilers, on a graphics card if any

Both layers have the same weights and run in one process, in turn: the ratio is the median over pairs, its spread the
quartiles. "limit" is the share of the machine's own speed at products of these sizes that the built-in reaches: what
no layer could pass.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from unrolled import layers

SIZES = ((64, 100, 64, 256), (32, 50, 32, 64), (16, 400, 16, 32))  # batch, time, features, units
RECURRENT = {
    "SimpleRNN": (layers.SimpleRNN, keras.layers.SimpleRNN, {}, 1),
    "LSTM": (layers.LSTM, keras.layers.LSTM, {}, 4),
    "GRU": (layers.GRU, keras.layers.GRU, {}, 3),
    "GRU, reset before": (layers.GRU, keras.layers.GRU, {"reset_after": False}, 3),
    "Bidirectional LSTM": (layers.LSTM, keras.layers.LSTM, {}, 8),
}
ALL = (*RECURRENT, "MultiHeadAttention")


def pair(name: str, size: tuple, known: bool):
    """Our layer and Keras's with the same weights, as models over inputs of this size, and the inputs."""
    batch, time_steps, features, units = size
    if name == "MultiHeadAttention":
        both = layers.MultiHeadAttention(4, units // 4), keras.layers.MultiHeadAttention(4, units // 4)
    else:
        ours, theirs, options, _ = RECURRENT[name]
        both = tuple(kind(units, return_sequences=True, **options) for kind in (ours, theirs))
        if name.startswith("Bidirectional"):
            both = layers.Bidirectional(both[0]), keras.layers.Bidirectional(both[1])
    shape = (batch, time_steps, features)
    for layer in both:
        layer.build(*[shape] * (2 if name == "MultiHeadAttention" else 1))
    layers.weights.copy(both[1], both[0])
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    models = []
    for layer in both:
        given = keras.Input((time_steps if known else None, features), batch_size=batch)
        models.append(keras.Model(given, layer(given, given) if name == "MultiHeadAttention" else layer(given)))
    return *models, x


def runners(model, x, compiled: bool):
    """Two functions without arguments: a forward pass and a training step; they return when the work is done."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # Where the length is not known, the function must not learn it from its first input.
        shape = model.inputs[0].shape
        spec = [tf.TensorSpec(shape if not compiled else x.shape, "float32")]

        @tf.function(jit_compile=compiled, input_signature=spec)
        def forward(x):
            return model(x)

        @tf.function(jit_compile=compiled, input_signature=spec)
        def step(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(model(x) ** 2)
            return tape.gradient(loss, model.trainable_variables)

        x = tf.constant(x)
        return (lambda: forward(x).numpy()), (lambda: [g.numpy() for g in step(x)])
    if backend == "jax":
        import jax

        weights = [w.value for w in model.trainable_variables]
        rest = [w.value for w in model.non_trainable_variables]

        def call(weights, x):
            return model.stateless_call(weights, rest, x)[0]

        forward, step = jax.jit(call), jax.jit(jax.grad(lambda w, x: (call(w, x) ** 2).mean()))
        x = ops.convert_to_tensor(x)
        return (lambda: jax.block_until_ready(forward(weights, x))), (lambda: jax.block_until_ready(step(weights, x)))
    import torch

    run = torch.compile(model) if compiled else model
    x = ops.convert_to_tensor(x)
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None

    def forward():
        with torch.no_grad():
            run(x)
        wait()

    def step():
        model.zero_grad()
        (run(x) ** 2).mean().backward()
        wait()

    return forward, step


def spent(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def compare(ours, theirs, pairs: int):
    """First call of each in seconds; then ratios of times taken in turn, and the built-in's median seconds."""
    first = spent(ours), spent(theirs)
    taken = np.array([(spent(ours), spent(theirs)) for _ in range(pairs)])
    return first, taken[:, 0] / taken[:, 1], float(np.median(taken[:, 1]))


def limit(size, blocks: int) -> float:
    """Seconds that only the products of a training step take, at the sizes at which a recurrent layer makes them."""
    batch, time_steps, features, units = size
    width = units * min(blocks, 4)
    rng = np.random.default_rng(0)
    x, h, z = (rng.normal(size=(batch, n)).astype("float32") for n in (features, units, width))
    W, U = (rng.normal(size=(n, width)).astype("float32") for n in (features, units))
    started = time.perf_counter()
    for _ in range(time_steps * (2 if blocks > 4 else 1)):
        x @ W, h @ U, z @ U.T, h.T @ z, x.T @ z
    return time.perf_counter() - started


def measure(name: str, size: tuple, compiled: bool, known: bool, pairs: int) -> str:
    ours, theirs, x = pair(name, size, known)
    cells = []
    for mine, other in zip(runners(ours, x, compiled), runners(theirs, x, compiled), strict=True):
        first, ratios, seconds = compare(mine, other, pairs)
        low, middle, high = np.percentile(ratios, (25, 50, 75))
        cells += [f"{first[0] / first[1]:6.2f}", f"{middle:6.2f} ({low:.2f}–{high:.2f})"]
    share = ""
    if name in RECURRENT and keras.backend.backend() == "tensorflow":
        share = f"{min(limit(size, RECURRENT[name][3]) for _ in range(3)) / seconds:6.0%}"
    return f"{cells[0]}  {cells[1]:20}{cells[2]}  {cells[3]:20}{seconds * 1000:9.1f}{share:>8}"


def memory(name: str, size: tuple, which: str) -> float:
    """Megabytes that a process with one layer and a few training steps takes at its peak, beyond an idle one."""
    found = subprocess.run([sys.executable, __file__, "--peak", json.dumps([name, size, which])], check=True,
                           capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def peak(name: str, size: list, which: str) -> float:
    """How much the process's largest size grew by three training steps, in MB."""
    ours, theirs, x = pair(name, tuple(size), True)
    before = largest()
    _, step = runners(ours if which == "ours" else theirs, x, False)
    for _ in range(3):
        step()
    return largest() - before


def largest() -> float:
    """The process's largest resident size so far, in MB. On Linux `getrusage` would begin with that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on a Mac


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", action="append", choices=ALL, help="only this layer; may be given again")
    parser.add_argument("--size", action="append", type=int, choices=range(len(SIZES)), help="only this size: 0, 1, 2")
    parser.add_argument("--pairs", type=int, default=15, help="measured pairs for each ratio")
    parser.add_argument("--plain", action="store_true", help="without the compiled ones")
    parser.add_argument("--no-memory", action="store_true", help="without the peaks of memory (a process for each)")
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak:
        print(peak(*json.loads(asked.peak)))
        return
    spent(runners(pair("SimpleRNN", (2, 3, 2, 2), True)[0], np.zeros((2, 3, 2), "float32"), False)[1])  # wakes up
    names, sizes = asked.layer or ALL, [SIZES[i] for i in asked.size or range(len(SIZES))]
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, {os.cpu_count()} processors, {time.strftime('%F')}")
    print(f"{'ours / Keras:':48}first  forward (quartiles)  first  training (quartiles)  Keras ms   limit")
    for size in sizes:
        print("batch × time × features × units:", " × ".join(map(str, size)))
        for name in names:
            for compiled in (False,) if asked.plain else (False, True):
                for known in (True, False) if not compiled else (True,):
                    how = ("compiled" if compiled else "plain") + (", T known" if known else ", T unknown")
                    print(f"  {name:20}{how:22}", end="", flush=True)
                    print(measure(name, size, compiled, known, asked.pairs), flush=True)
            if not asked.no_memory:
                ours, theirs = (memory(name, size, which) for which in ("ours", "theirs"))
                print(f"  {name:20}peak memory of training: {ours:.0f} MB, Keras {theirs:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
