"""Text from a student, made fit for a page that others read: escaped, cut to a number of bytes, never interpreted.

A written answer is shown as the Markdown it is, without anything that could lead outside, ask for input or run:
markdown-it escapes HTML, links stay text, pictures come from the answer's own attachments. A formula is set only if
every macro in it is one that sets formulas: as MathML on a page, by MathJax in the formgrader.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from markupsafe import Markup, escape

from autograde import course
from autograde.intake.pictures import MAX_SHOWN, SUFFIXES
from autograde.recording import mathml

# Bytes of UTF-8 of one piece of text from a student; a page has a bounded number of pieces.
CODE_BYTES = 20_000
PRINTED_BYTES = 8_000
SENTENCE_BYTES = 2_000

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Control characters, and those that change the direction of the text around them.
_INVISIBLE = {c: "�" for c in (*range(32), 127, *range(128, 160), *range(0x200E, 0x2010), *range(0x202A, 0x202F),
                               *range(0x2066, 0x206A)) if chr(c) not in "\n\t"}

_EMPHASIS = re.compile(r"(?<![\w*])\*([^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])")


# Where packages and Python's own modules lie, on whatever machine or worker.
_INSTALLED = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\'\"<>|:*?]+){1,25}[/\\]"
                        r"(site-packages|dist-packages|lib[/\\]python3\.\d+)\b")


def clean(text: str, limit: int) -> str:
    """Text of at most about `limit` bytes that shows as what it is: no terminal codes, no invisible characters."""
    kept = text[:limit].encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")
    left_out = len(text) - len(kept)
    kept = _ESCAPES.sub("", kept).replace("\r\n", "\n").replace("\r", "\n").translate(_INVISIBLE).strip("\n")
    return f"{kept}\n… {left_out:,} more characters are not shown" if left_out > 0 else kept


def without_places(text: str) -> str:
    """Text without the folders of the machine it was run on: what a package or Python itself says in an error."""
    text = _INSTALLED.sub(r"…/\1", text)
    for place in _places():
        text = text.replace(place, "…")
    return text


@functools.cache
def _places() -> tuple[str, ...]:
    """Folders of this machine that say something about it, the deepest first; what every machine has says nothing."""
    found = {sys.prefix, sys.base_prefix, str(course.ROOT), str(course.BUILT_IN), str(Path.home()),
             tempfile.gettempdir()}
    return tuple(sorted(found - {"/", "/usr", "/usr/local", "/opt", "/tmp", ""}, key=len, reverse=True))


def one_line(text: str, limit: int = SENTENCE_BYTES) -> str:
    """`clean`, on a line of its own: for names and notes."""
    return " ".join(clean(text, limit).split())


def sentence(text: str) -> str:
    """The first letter large and a full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def inline(text: str) -> Markup:
    """Escaped, and what stands between backticks as code."""
    pieces = str(escape(text)).split("`")
    if len(pieces) % 2 == 0:  # a single backtick is just that
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("".join(f"<code>{piece}</code>" if i % 2 else piece for i, piece in enumerate(pieces)))


def prose(text: str) -> Markup:
    """`inline`, and what stands between asterisks as emphasis: for sentences that authors of lessons wrote."""
    pieces = re.split(r"(<code>.*?</code>)", str(inline(text)), flags=re.S)
    return Markup("".join(piece if piece.startswith("<code>") else _EMPHASIS.sub(r"<em>\1</em>", piece)
                          for piece in pieces))


def fenced(text: str, kind: str = "") -> Markup:
    """A block of code in Markdown that its content cannot end."""
    longest = max((len(run) for run in re.findall(r"`{3,}|~{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return Markup(f"{fence}{kind}\n{text}\n{fence}")


def as_plain_markdown(text: str) -> Markup:
    """Words in Markdown that stay words: no HTML, no link, no picture, no heading; backticks are kept as code."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["\\`".join(pieces[-2:])]
    words = [piece if i % 2 else re.sub(r"([\\*_\[\]<>#|~!$&])", r"\\\1", piece) for i, piece in enumerate(pieces)]
    return Markup("`".join(words))


# Markdown ---------------------------------------------------------------------------------------------

def rendered(text: str, attachments: Mapping[str, Mapping[str, str]] | None = None) -> Markup:
    """Markdown as HTML that is nothing but text, lists, tables, code, formulas and the answer's own pictures.

    Parameters
    ----------
    text : what a student or an instructor wrote.
    attachments : the cell's pictures, ``{name: {mime type: base64}}`` as in a notebook.
    """
    return Markup(_rendered(text, attachments, mathml=True))


def _rendered(text: str, attachments: Mapping[str, Mapping[str, str]] | None, *, mathml: bool) -> str:
    return _markdown().render(clean(text, CODE_BYTES), {"attachments": attachments or {}, "bytes": 0, "mathml": mathml})


def for_formgrader(text: str, attachments: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """A written answer as the source of a Markdown cell in which nothing is left to interpret.

    One HTML block on one line, so that no Markdown rule applies inside it, with the two characters that could begin a
    formula as references. What a formula draws is cut off at the answer's own box.
    """
    html = _rendered(text, attachments, mathml=False)
    html = html.replace("\n", "&#10;").replace("$", "&#36;").replace("\\", "&#92;")
    style = "contain:paint;overflow:auto;max-height:80em"
    return f'<div class="tex2jax_ignore mathjax_ignore" style="{style}">{html}</div>'


@functools.cache
def _markdown():
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    # HTML, links and references are left as they were typed.
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.disable(["link", "autolink", "reference", "html_block", "html_inline"])
    markdown.use(dollarmath_plugin, allow_labels=False, allow_blank_lines=False, double_inline=True)
    markdown.validateLink = lambda url: url.startswith("attachment:")
    for rule, function in {
        "image": _image, "fence": _code, "code_block": _code, "heading_open": _heading, "heading_close": _heading,
        "math_inline": _formula, "math_inline_double": _formula, "math_block": _formula,
        "th_open": _table_head, "th_close": _table_head,
    }.items():
        markdown.add_render_rule(rule, function)
    return markdown


def _heading(self, tokens, index, options, env) -> str:
    # A bold paragraph: the page's own headings are its outline.
    return "<p><strong>" if tokens[index].nesting == 1 else "</strong></p>\n"


def _table_head(self, tokens, index, options, env) -> str:
    # Only what says something is a heading of its column: who cannot see the table would be read an empty name.
    opens = tokens[index].nesting == 1
    empty = not tokens[index + 1 if opens else index - 1].content.strip()
    style = f' style="{escape(tokens[index].attrGet("style"))}"' if opens and tokens[index].attrGet("style") else ""
    return f"<{'' if opens else '/'}{'td' if empty else 'th'}{style}>"


def _code(self, tokens, index, options, env) -> str:
    return f"<pre><code>{escape(tokens[index].content)}</code></pre>\n"


def _image(self, tokens, index, options, env) -> str:
    name = unquote(tokens[index].attrGet("src").removeprefix("attachment:"))
    kind, data = next(((kind, data) for kind, data in env["attachments"].get(name, {}).items()
                       if kind in SUFFIXES.values() and _is_base64(data)), ("", ""))
    env["bytes"] += len(data)
    if not data or env["bytes"] > MAX_SHOWN:
        why = "is too large to be shown here" if data else "is not attached as a PNG, JPEG, GIF or WebP file"
        return f"<em>[the picture {escape(one_line(name, 100))} {why}]</em>"
    alt = escape(one_line(tokens[index].content, 500))
    return f'<img alt="{alt}" src="data:{kind};base64,{"".join(data.split())}">'


def _is_base64(data: object) -> bool:
    try:
        return isinstance(data, str) and bool(base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError):
        return False


# Formulas ---------------------------------------------------------------------------------------------

_MACRO = re.compile(r"\\(?:operatorname\*|[a-zA-Z]+|.)", re.DOTALL)
# What sets a formula, and nothing that makes links, defines macros, or moves what is drawn to another place.
_MACROS = frozenset(re.findall(r"\S+", r"""
\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \vartheta \iota \kappa \lambda \mu \nu \xi \pi
\varpi \rho \varrho \sigma \varsigma \tau \upsilon \phi \varphi \chi \psi \omega \Gamma \Delta \Theta \Lambda \Xi \Pi
\Sigma \Upsilon \Phi \Psi \Omega \frac \dfrac \tfrac \sqrt \binom \sum \prod \int \iint \oint \lim \limsup \liminf
\max \min \sup \inf \arg \argmax \argmin \exp \log \ln \lg \sin \cos \tan \cot \sec \sinh \cosh \tanh \coth \arcsin
\arccos \arctan \det \dim \ker \Pr \gcd \deg \left \right \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \middle
\langle \rangle \lfloor \rfloor \lceil \rceil \lvert \rvert \lVert \rVert \vert \Vert \mid \parallel \cdot \times \div
\pm \mp \ast \star \circ \bullet \odot \otimes \oplus \ominus \cap \cup \setminus \wedge \vee \neg \lnot \land \lor
\in \notin \ni \subset \subseteq \supset \supseteq \emptyset \varnothing \forall \exists \nexists \infty \partial
\nabla \imath \jmath
\ell \hbar \Re \Im \aleph \leq \le \geq \ge \ll \gg \neq \ne \equiv \sim \simeq \approx \cong \propto \prec
\succ \to \gets \leftarrow \rightarrow \leftrightarrow \Leftarrow \Rightarrow \Leftrightarrow \implies \iff \mapsto
\longrightarrow \uparrow \downarrow \hat \widehat \tilde \widetilde \bar \overline \underline \vec \dot \ddot
\overrightarrow \overleftarrow \mathrel
\overbrace \underbrace \overset \underset \mathbf \mathrm \mathit \mathsf \mathtt \mathcal \mathbb \mathfrak
\boldsymbol \bm \operatorname \operatorname* \text \textbf \textit \textrm \texttt \mbox \dots \ldots \cdots \vdots
\ddots \quad \qquad \prime \top \bot \perp \angle \triangle \square \displaystyle \textstyle \limits \nolimits
\because \therefore \intercal \begin \end \, \; \: \! \{ \} \| \% \& \_ \# \$ \\""")) | {"\\ ", "\\\n"}
_ENVIRONMENTS = frozenset(("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "cases",
                           "aligned", "align", "align*", "gathered", "gather", "gather*", "split", "array", "equation",
                           "equation*"))


def _formula(self, tokens, index, options, env) -> str:
    """A formula: as MathML on a page; between its dollars in the formgrader, which has MathJax."""
    token = tokens[index]
    display = token.type != "math_inline"
    text = escape(f"$${token.content}$$" if display else f"${token.content}$")
    if not _only_sets(token.content):
        html = f"<code>{text}</code>"
    elif env["mathml"]:
        html = mathml.convert(token.content, display) or f"<code>{text}</code>"
    else:
        html = f'<span class="formula tex2jax_process mathjax_process">{text}</span>'
    return f"<p>{html}</p>\n" if token.type == "math_block" else html


def _only_sets(formula: str) -> bool:
    environments = re.findall(r"\\(?:begin|end)\s*\{([^}]*)\}", formula)
    return (set(_MACRO.findall(formula)) <= _MACROS and set(environments) <= _ENVIRONMENTS
            and len(environments) == len(re.findall(r"\\(?:begin|end)(?![a-zA-Z])", formula))
            and len(formula) <= SENTENCE_BYTES)
