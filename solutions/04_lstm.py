# %% [markdown]
# # LSTM: gates and the cell state

# %%
import unrolled.quiet  # TensorFlow starts without its messages
import numpy as np
import keras
from keras import ops
from unrolled import check

# %% [markdown]
# ## One step

# %% solution="lstm.step"
def lstm_step(x, h, c, W, U, b):
    """One step of an LSTM.

    x: (batch, D), h and c: (batch, u), W: (D, 4u), U: (u, 4u), b: (4u,); blocks in Keras's order i, f, c, o.
    Returns the new h and the new c, each (batch, u).
    """
    ### BEGIN SOLUTION
    z = ops.matmul(x, W) + ops.matmul(h, U) + b
    i, f, g, o = ops.split(z, 4, axis=-1)
    i, f, o = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o)
    c = f * c + i * ops.tanh(g)
    h = o * ops.tanh(c)
    return h, c
    ### END SOLUTION

# %% check="lstm.step"
check("lstm.step", lstm_step)
