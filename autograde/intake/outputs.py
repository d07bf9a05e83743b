"""A notebook file without what its cells showed: for files that are too large to be read whole."""

from __future__ import annotations

import re

MAX_TOKENS = 5_000_000  # strings and brackets: two seconds of looking
OUTPUTS = frozenset((b"outputs", b"application/vnd.jupyter.widget-state+json"))
PICTURES = frozenset((b"attachments",))

# A string, a bracket, or what stands between a key and its value. Possessive: no string is looked at twice.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|:', re.DOTALL)
_OPENING = {b"[": b"[]", b"{": b"{}"}


def without(keys: frozenset[bytes], content) -> bytes | None:
    """The JSON in `content` (bytes, or a mapped file) with empty values for `keys`; None if it is not understood.

    Only looks at where strings and brackets are: no memory is spent on what is left out.
    """
    kept: list[bytes] = []
    begun, depth, leaving = 0, 0, 0  # `leaving` is the depth at which what is left out ends
    key: bytes | None = None         # the last string, and whether a colon followed it
    after_colon = False
    for count, token in enumerate(_TOKEN.finditer(content)):
        if count > MAX_TOKENS:
            return None
        text = token[0] if token.end() - token.start() <= 100 else b""
        if text in (b"[", b"{"):
            depth += 1
            if not leaving and after_colon and key in keys:
                kept += [content[begun:token.start()], _OPENING[text]]
                leaving = depth
            key, after_colon = None, False
        elif text in (b"]", b"}"):
            if depth == leaving:
                leaving, begun = 0, token.end()
            depth -= 1
            key, after_colon = None, False
        elif text == b":":
            after_colon = key is not None
        else:
            key, after_colon = text[1:-1], False
    if depth or leaving:
        return None
    return b"".join([*kept, content[begun:]])
