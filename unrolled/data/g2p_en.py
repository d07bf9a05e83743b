"""The weights of a published GRU encoder and decoder that turns English letters into sounds (g2p_en)."""

from __future__ import annotations

import numpy as np

from unrolled import data

END = "</s>"
START = "<s>"
LETTERS = ["<pad>", "<unk>", END, *"abcdefghijklmnopqrstuvwxyz"]
SOUNDS = ["<pad>", "<unk>", START, END, *(  # noqa: SIM905 (reads better)
    "AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 "
    "EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 "
    "UW UW0 UW1 UW2 V W Y Z ZH").split()]


def load() -> dict[str, np.ndarray]:
    """The arrays as published, as float32 (rounded to float16 to be small enough to ship).

    ``enc_emb (29, 256)`` and ``dec_emb (74, 256)`` hold one row a symbol of `LETTERS` and `SOUNDS`;
    ``enc_w_ih, enc_w_hh, dec_w_ih, dec_w_hh (768, 256)`` and their biases ``enc_b_ih`` ... ``(768,)`` are in PyTorch's
    layout: blocks r, z, n (reset, update, candidate), weights (out, in); ``fc_w (74, 256)`` and ``fc_b (74,)``
    give a score for each sound.

    The encoder reads the letters and then `END`; the decoder starts from the encoder's last state with `START` and
    stops at `END`. Apache-2.0, Kyubyong Park and Jongseok Kim. The network must be taken to have seen CMUdict's words.
    """
    with np.load(data.file("g2p_en", "weights.npz"), allow_pickle=False) as arrays:
        return {name: arrays[name].astype("float32") for name in arrays.files}
