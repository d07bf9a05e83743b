"""What a lesson imports: `check`, figures and data.

Importing this package is cheap and sets the environment variables that TensorFlow reads once, when it
starts: so a lesson imports it before Keras (``import unrolled.quiet`` does both).
"""

import os

# oneDNN reorders floating-point sums, so printed figures would differ from machine to machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from unrolled.checking import CheckFailed, check

__all__ = ["CheckFailed", "check"]
