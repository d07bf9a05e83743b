"""The channel: whatever bytes arrive, there is a frame or a ChannelError, never anything else."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.sandbox import channel
from unrolled.sandbox.channel import ChannelError

ARRAYS = st.dictionaries(
    st.text("abcdefgh/_.0123456789", min_size=1, max_size=20),
    hnp.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), hnp.array_shapes(min_dims=0, max_side=4)),
    max_size=5)


@given(ARRAYS, st.integers(1, 50))
def test_what_is_sent_arrives_however_it_is_cut(arrays, size):
    content = channel.pack("answer", {"exercise": "lstm.step"}, arrays)
    reader = channel.Reader()
    frames = [f for at in range(0, len(content), size) for f in reader.feed(content[at:at + size])]
    assert [f.kind for f in frames] == ["answer"]
    assert frames[0].data == {"exercise": "lstm.step"}
    assert set(frames[0].arrays) == set(arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(frames[0].arrays[name], value)


@given(st.binary(max_size=300))
def test_noise_is_an_ordinary_outcome(noise):
    with contextlib.suppress(ChannelError):
        channel.Reader().feed(noise)


@given(ARRAYS, st.data())
def test_a_damaged_frame_is_an_ordinary_outcome(arrays, data):
    content = bytearray(channel.pack("answer", {"a": 1}, arrays))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ChannelError):
        channel.Reader().feed(bytes(content))


def _npz(name: str, content: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _npy(value, **kwargs) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, value, **kwargs)
    return buffer.getvalue()


def _lying(shape: tuple) -> bytes:
    """A header that claims `shape`, with eight bytes behind it."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue() + bytes(8)


@pytest.mark.parametrize("content", [
    pytest.param(_npz("a.npy", _npy(np.array([object()]), allow_pickle=True)), id="pickle"),
    pytest.param(_npz("a.npy", _npy(np.array(["text"]))), id="strings"),
    pytest.param(_npz("a.npy", _npy(np.zeros(3, dtype=[("x", "f8")]))), id="structured"),
    pytest.param(_npz("a.npy", _npy(np.zeros(3, dtype="c16"))), id="complex"),
    pytest.param(_npz("a.npy", _npy(np.zeros(10_000)), zipfile.ZIP_DEFLATED), id="compressed"),
    pytest.param(_npz("a.npy", _lying((1 << 40,))), id="a shape of a terabyte"),
    pytest.param(_npz("a.npy", _lying((1 << 62, 1 << 62))), id="a shape that overflows"),
    pytest.param(_npz("a.npy", _lying((-1,))), id="a negative shape"),
    pytest.param(_npz("a.npy", _lying((1,) * 40)), id="forty dimensions"),
    pytest.param(_npz("a.txt", b"hello"), id="no array"),
    pytest.param(b"PK\x05\x06" + bytes(17), id="half an archive"),
])
def test_only_plain_numbers_come_through(content):
    with pytest.raises(ChannelError):
        channel.unpack_arrays(content)


@pytest.mark.parametrize("header", [
    (b"EVIL", b"x", 0, 0), (b"UNR1", b"x", 1 << 31, 0), (b"UNR1", b"x", 2, (1 << 32) - 1)])
def test_lengths_are_capped_before_anything_is_read(header):
    with pytest.raises(ChannelError):
        channel.Reader().feed(struct.pack(">4s16sII", *header))


def test_an_endless_stream_ends():
    reader, frame = channel.Reader(), channel.pack("cell", {"cell": 1})
    with pytest.raises(ChannelError, match="more"):
        while True:
            reader.feed(frame * 1000)


def test_the_text_of_a_frame_must_be_an_object():
    head = b"[" * 10_000
    with pytest.raises(ChannelError):
        channel.Reader().feed(struct.pack(">4s16sII", b"UNR1", b"x", len(head), 0) + head)


def test_many_threads_may_read_and_parse_at_once():
    """Python 3.11's parser is not safe in threads; a reader that used it once cost a student everything."""
    import ast
    import threading

    content = channel.pack_arrays({f"case/{i}": np.zeros((2, 3)) for i in range(50)})
    text, failures = "x = [" + "(1, 2), " * 2000 + "]", []

    def work(task):
        try:
            for _ in range(15):
                task()
        except Exception as error:
            failures.append(error)

    tasks = (lambda: ast.parse(text), lambda: channel.unpack_arrays(content), lambda: channel.unpack_arrays(content))
    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
