"""Oracle of lesson 02: the recurrent cell (Elman 1990) and its four architectures.

Notation: ``x (B, T, D)``, ``h (B, u)``; ``W (D, u)`` acts on the input, ``U (u, u)`` on the state.
"""

from autograde.judging.oracles.rnn.cells import CONCAT, STEP, UNROLL
from autograde.judging.oracles.rnn.layers import LAYER
from autograde.judging.oracles.rnn.readout import LAST_VALID, LOSS, ONE_TO_MANY, SAMPLE

LESSON = "02_rnn"
EXERCISES = [STEP, CONCAT, UNROLL, LAYER, LAST_VALID, LOSS, ONE_TO_MANY, SAMPLE]
