"""Start Keras and TensorFlow without their start-up messages.

TensorFlow's C++ code writes to file descriptor 2 before any log level applies. In a notebook such lines
land in a cell's output, look like errors to a beginner, and carry a timestamp that no later run repeats.
Python exceptions are not affected.
"""

import contextlib
import os
import sys

import unrolled  # noqa: F401 (sets the environment variables TensorFlow reads)


@contextlib.contextmanager
def silent_stderr():
    """Point file descriptor 2 at the null device for the length of a ``with`` block."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


with silent_stderr():
    import keras  # noqa: F401
