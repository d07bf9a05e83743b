"""Inputs in, arrays out: length-prefixed frames with caps, npz without pickle.

Both ends use this module. The reader trusts nothing: every length is capped before anything is read, an
archive may hold only uncompressed members of plain numeric types, and whatever does not fit raises
`ChannelError`, an ordinary outcome with a status of its own.
"""

from __future__ import annotations

import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

MAGIC = b"UNR1"
_HEADER = struct.Struct(">4s16sII")  # magic, kind, length of the JSON part, length of the npz part

MAX_JSON = 1 << 20
MAX_ARRAYS = 32 << 20
MAX_FRAMES = 5_000
MAX_TOTAL = 128 << 20
MAX_ENTRIES = 1_000
MAX_DIMENSIONS = 16
_ARRAY_HEADER = re.compile(
    rb"\{'descr': '([<>|=])([a-zA-Z])(\d{1,5})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12}(?:, ?|))*)\), \} *\n?")
NUMBERS = frozenset("fiub")
NUMBERS_AND_TEXT = NUMBERS | {"U"}  # only towards a child: some cases hold text


class ChannelError(Exception):
    """What arrived is not a frame the grader accepts."""


@dataclass(frozen=True)
class Frame:
    """One message: what it is, a little JSON, and named arrays."""

    kind: str
    data: dict
    arrays: dict[str, np.ndarray]


def pack(kind: str, data: dict | None = None, arrays: Mapping[str, np.ndarray] | None = None) -> bytes:
    """A frame as bytes."""
    head = json.dumps(data or {}).encode()
    body = pack_arrays(arrays) if arrays else b""
    return _HEADER.pack(MAGIC, kind.encode(), len(head), len(body)) + head + body


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Named arrays as an uncompressed npz."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            archive.writestr(f"{name}.npy", member.getvalue())
    return buffer.getvalue()


def unpack_arrays(content: bytes, kinds: frozenset[str] = NUMBERS) -> dict[str, np.ndarray]:
    """The arrays of an npz from an untrusted process. Raises ChannelError for anything but plain numbers."""
    if len(content) > MAX_ARRAYS:
        raise ChannelError("more bytes than an answer may have")
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MAX_ENTRIES:
                raise ChannelError("more arrays than an answer may have")
            for member in members:
                # Stored members cannot be larger than the bytes that arrived: no decompression bombs.
                if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
                    raise ChannelError("a compressed array")
                if member.file_size > len(content) or not member.filename.endswith(".npy"):
                    raise ChannelError("an entry that is no array")
                arrays[member.filename.removesuffix(".npy")] = _read_array(archive.read(member), kinds)
    except ChannelError:
        raise
    except Exception as error:
        # The parsers meet bytes made to break them: whatever they raise means the same.
        raise ChannelError(f"not an array archive ({type(error).__name__})") from None
    return arrays


def _read_array(content: bytes, kinds: frozenset[str]) -> np.ndarray:
    # NumPy's own reader hands the header to Python's parser. These bytes are a stranger's: a pattern reads them.
    length = int.from_bytes(content[8:10], "little")
    header = _ARRAY_HEADER.fullmatch(content[10:10 + length])
    if content[:8] != b"\x93NUMPY\x01\x00" or header is None:
        raise ChannelError("an array whose header cannot be read")
    kind, fortran, lengths = header[2].decode(), header[4] == b"True", header[5].decode()
    shape = tuple(int(n) for n in lengths.replace(",", " ").split())
    if kind not in kinds or len(shape) > MAX_DIMENSIONS:
        raise ChannelError("an array that holds no plain numbers")
    dtype = np.dtype((header[1] + header[2] + header[3]).decode())
    if math.prod(shape) * dtype.itemsize != len(content) - 10 - length:
        raise ChannelError("an array that is not as large as it says")
    flat = np.frombuffer(content, dtype, offset=10 + length)
    return flat.reshape(shape, order="F" if fortran else "C").copy()


class Reader:
    """Cuts a byte stream into frames. Feed it what arrives; it never waits and never holds more than the caps.

    `kinds` are the kinds of arrays it accepts.
    """

    def __init__(self, kinds: frozenset[str] = NUMBERS):
        self._kinds = kinds
        self._buffer = bytearray()
        self._frames = 0
        self._total = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames completed by `chunk`. Raises ChannelError at the first byte that cannot be right."""
        self._total += len(chunk)
        if self._total > MAX_TOTAL:
            raise ChannelError("more bytes than a submission may send")
        self._buffer += chunk
        frames = []
        while (frame := self._next()) is not None:
            self._frames += 1
            if self._frames > MAX_FRAMES:
                raise ChannelError("more frames than a submission may send")
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if len(self._buffer) < _HEADER.size:
            if not MAGIC.startswith(bytes(self._buffer[:4])):
                raise ChannelError("bytes that are no frame")
            return None
        magic, kind, head, body = _HEADER.unpack_from(self._buffer)
        if magic != MAGIC or head > MAX_JSON or body > MAX_ARRAYS:
            raise ChannelError("bytes that are no frame")
        end = _HEADER.size + head + body
        if len(self._buffer) < end:
            return None
        text = bytes(self._buffer[_HEADER.size:_HEADER.size + head])
        content = bytes(self._buffer[_HEADER.size + head:end])
        del self._buffer[:end]
        try:
            data = json.loads(text)
            name = kind.rstrip(b"\0").decode("ascii")
        except (ValueError, RecursionError):
            raise ChannelError("a frame whose text cannot be read") from None
        if not isinstance(data, dict):
            raise ChannelError("a frame whose text cannot be read")
        return Frame(name, data, unpack_arrays(content, self._kinds) if content else {})
