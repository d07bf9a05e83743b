"""Pictures of a written answer: attached to its cells, pasted into its text, shown by its code, lying beside it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from autograde.text import shown

MAX_SHOWN = 2_000_000  # bytes of base64 in one answer: what a page shows
MAX_PASTED = 100       # pictures taken out of one cell's text
# What a browser shows and nothing can hide in.
SUFFIXES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}

Bundle = dict[str, dict[str, str]]  # {name: {mime type: base64}}, as in a notebook

_PASTED = re.compile(r"data:image/([a-z.+-]{1,20});base64,([A-Za-z0-9+/=]++)")
_TAG = re.compile(r"<img\b([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = r"""\b{}\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))"""
_SOURCE, _ALT = (re.compile(_ATTRIBUTE.format(name), re.IGNORECASE) for name in ("src", "alt"))
_IMAGE = re.compile(r"!\[([^\]\n]{0,1000})\]\(\s*<?([^)\s<>]{1,1000})>?(?:\s+[\"'][^\n)]{0,500})?\s*\)")


def taken_out(text: str) -> tuple[str, Bundle]:
    """Text without the pictures that were pasted into it (as Colab does), which become attachments of its cell."""
    found: Bundle = {}

    def attach(match: re.Match) -> str:
        if len(found) >= MAX_PASTED:
            return match[0]
        name = f"pasted-{len(found) + 1}.{match[1]}"
        found[name] = {f"image/{match[1]}": match[2]}
        return f"attachment:{name}"

    return (_PASTED.sub(attach, text), found) if "data:image/" in text else (text, found)


def attached(raw: object) -> Bundle:
    """The attachments of a cell of a handed-in notebook: those that are text, whatever they say they are."""
    found: Bundle = {}
    for name, kinds in raw.items() if isinstance(raw, dict) else ():
        data = {kind: text for kind, value in (kinds.items() if isinstance(kinds, dict) else ())
                if isinstance(text := _joined(value), str)}
        if data:
            found[name] = data
    return found


def drawn(outputs: object) -> Bundle:
    """The pictures that a code cell showed when it was handed in."""
    found: Bundle = {}
    for output in outputs if isinstance(outputs, list) else ():
        shows = output.get("data") if isinstance(output, dict) else None
        for suffix in ("png", "jpeg"):
            text = _joined(shows.get(f"image/{suffix}")) if isinstance(shows, dict) else None
            if isinstance(text, str):
                found[f"output-{len(found) + 1}.{suffix}"] = {f"image/{suffix}": text}
    return found


def _joined(value: object) -> object:
    return "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value


class Gallery:
    """The pictures of one written answer. What is too much for a page is put beside the notebook.

    A picture is named after its content, so that an answer whose picture changed is another answer.
    """

    def __init__(self, label: str, files: Mapping[str, bytes], room: int):
        """`files` lie beside the notebook, `room` is how many bytes may still be put there."""
        self.attachments: Bundle = {}
        self.beside: dict[str, bytes] = {}
        self.repairs: list[str] = []
        self.referred: set[str] = set()
        self._label = label
        self._files = files
        self._room = room
        self._left = MAX_SHOWN

    def hung(self, text: str, pictures: Bundle) -> str:
        """The text with its pictures as attachments of the answer, wherever they were; those it did not show last."""
        hung: set[str] = set()

        def image(alt: str, target: str) -> str:
            name = unquote(target.removeprefix("attachment:"))
            if target.startswith("attachment:"):
                hung.add(name)
                return self._attached(alt, name, pictures[name]) if name in pictures else self._lost(alt, target)
            path = str(PurePosixPath(name))
            kind = SUFFIXES.get(path.rpartition(".")[2].lower())
            if path in self._files and kind:
                self.referred.add(path)
                return self._attached(alt, path.rpartition("/")[2], {
                    kind: base64.b64encode(self._files[path]).decode("ascii")}, beside=path)
            return self._lost(alt, target)

        text = _TAG.sub(_as_markdown, text)
        text = _IMAGE.sub(lambda match: image(match[1], match[2]), text)
        more = [self._attached(name, name, data) for name, data in pictures.items() if name not in hung]
        return "\n\n".join(filter(None, [text, *more]))

    def _attached(self, alt: str, name: str, data: Mapping[str, str], beside: str = "") -> str:
        kind, content = next(((kind, content) for kind, text in data.items() if (content := _decoded(text))),
                             ("", b""))
        if not content:
            self.repairs.append(f"the picture {shown(name)} of {self._label} is damaged; attach it again")
            return f"[{alt}: {shown(name)}]"
        size = -(-len(content) // 3) * 4
        stem, dot, suffix = name.rpartition(".") if "." in name else (name, ".", kind.rpartition("/")[2])
        new = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}{dot}{suffix}"
        if kind in SUFFIXES.values() and size <= self._left:
            self._left -= size
            self.attachments[new] = {kind: base64.b64encode(content).decode("ascii")}
            return f"![{alt}](attachment:{quote(new)})"
        why = "is too large to be shown" if kind in SUFFIXES.values() else "is no PNG, JPEG, GIF or WebP file"
        if beside:
            self.repairs.append(f"the picture {shown(name)} of {self._label} {why}; it lies beside the notebook")
            return f"[{alt}: {shown(beside)}, beside the notebook]"
        if len(content) > self._room:
            self.repairs.append(f"the picture {shown(name)} of {self._label} {why} and was left out; "
                                "make it smaller and hand it in again")
            return f"[{alt}: {shown(name)}]"
        where = f"{self._label}-{new.replace('/', '-')}"
        self._room -= len(content)
        self.beside[where] = content
        self.repairs.append(f"the picture {shown(name)} of {self._label} {why}; "
                            f"it was put beside the notebook as {shown(where)}")
        return f"[{alt}: {shown(where)}, beside the notebook]"

    def _lost(self, alt: str, target: str) -> str:
        if ":" not in target or target.startswith("attachment:"):
            name = shown(unquote(target.removeprefix("attachment:")))
            self.repairs.append(f"the picture {name} that {self._label} shows was not handed in")
        return f"![{alt}]({target})"


def _as_markdown(tag: re.Match) -> str:
    source, alt = (next(filter(None, found.groups()), "") if (found := pattern.search(tag[1])) else ""
                   for pattern in (_SOURCE, _ALT))
    alt = " ".join(alt.replace("]", " ").split())
    return f"![{alt}]({quote(unquote(source), safe=':/.~-_')})" if source else tag[0]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
