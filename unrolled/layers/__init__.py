"""The layers of the course as a library: written with `keras.ops`, for TensorFlow, JAX and PyTorch.

In the lessons you write these layers as plainly as they can be written. Here they are as one ships them: sequences of
any length, masks, initial states, both directions, half precision, compiled and saved. docs/layers.md says what each
can do and what it costs.

    from unrolled.layers import LSTM, AdditiveAttention, AttentionDecoder
"""

from unrolled.layers import weights
from unrolled.layers.attention import AdditiveAttention, Attention, LuongAttention, MultiHeadAttention, masked_softmax
from unrolled.layers.bidirectional import Bidirectional
from unrolled.layers.decoder import AttentionDecoder
from unrolled.layers.gru import GRU, GRUCell
from unrolled.layers.lstm import LSTM, LSTMCell, PeepholeLSTM, PeepholeLSTMCell
from unrolled.layers.recurrent import Cell, Recurrent
from unrolled.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from unrolled.layers.transformer import DecoderBlock, EncoderBlock, SinusoidalPositions, positions

__all__ = ["GRU", "LSTM", "AdditiveAttention", "Attention", "AttentionDecoder", "Bidirectional", "Cell",
           "DecoderBlock", "EncoderBlock", "GRUCell", "LSTMCell", "LuongAttention", "MultiHeadAttention",
           "PeepholeLSTM", "PeepholeLSTMCell", "Recurrent", "SimpleRNN", "SimpleRNNCell", "SinusoidalPositions",
           "masked_softmax", "positions", "weights"]
