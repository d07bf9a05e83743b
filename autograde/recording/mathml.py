r"""Formulas as MathML, which browsers set by themselves: no script, no network, and only tags made here.

Of LaTeX what answers and lessons use, the macros that `student_text` lets through; what is not understood is None, and
is then shown as it was typed. MathML Core (W3C) has no bold or script letters of its own: they are Unicode's.

Why it is our own: what strangers type goes through it. latex2mathml 3.81.1, the library for this, sets the lessons' 289
formulas too, but passes on a ``<script>`` inside ``\text`` and a ``javascript:`` address inside ``\href`` as they
are, takes an unknown macro for a letter, and three of its results are not well-formed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from markupsafe import Markup, escape

DEEPEST = 30  # groups within groups

_TOKEN = re.compile(r"\s*(\\[a-zA-Z]+\*?|\\.|\d+(?:\.\d+)?|.)", re.S)
_GREEK = {name: unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}") for name in re.findall(
    r"\w+", "alpha beta gamma delta epsilon zeta eta theta iota kappa mu nu xi pi rho sigma tau upsilon chi psi omega")}
_GREEK |= {name.title(): unicodedata.lookup(f"GREEK CAPITAL LETTER {name.upper()}") for name in re.findall(
    r"\w+", "gamma delta theta xi pi sigma upsilon phi psi omega")}
_GREEK |= dict(re.findall(r"(\S+) (\S+)", """
imath ı jmath ȷ
lambda λ Lambda Λ varepsilon ε epsilon ϵ vartheta ϑ varpi ϖ varrho ϱ varsigma ς varphi φ phi ϕ ell ℓ hbar ℏ Re ℜ Im ℑ
aleph ℵ emptyset ∅ varnothing ∅ infty ∞ partial ∂ nabla ∇ top ⊤ bot ⊥ triangle △ square □ angle ∠ prime ′
intercal ⊺"""))
_OPERATORS = dict(re.findall(r"(\S+) (\S+)", """
cdot ⋅ times × div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet ∙ odot ⊙ otimes ⊗ oplus ⊕ ominus ⊖ cap ∩ cup ∪ setminus ∖
wedge ∧ vee ∨ neg ¬ lnot ¬ land ∧ lor ∨ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ forall ∀ exists ∃
nexists ∄ leq ≤ le ≤ geq ≥ ge ≥ ll ≪ gg ≫ neq ≠ ne ≠ equiv ≡ sim ∼ simeq ≃ approx ≈ cong ≅ propto ∝ prec ≺ succ ≻ to →
gets ← leftarrow ← rightarrow → leftrightarrow ↔ Leftarrow ⇐ Rightarrow ⇒ Leftrightarrow ⇔ implies ⟹ iff ⟺ mapsto ↦
longrightarrow ⟶ uparrow ↑ downarrow ↓ mid ∣ parallel ∥ perp ⊥ dots … ldots … cdots ⋯ vdots ⋮ ddots ⋱ because ∵
therefore ∴ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lvert | rvert | vert | lVert ‖ rVert ‖ Vert ‖"""))
_BIG = {"sum": "∑", "prod": "∏", "int": "∫", "iint": "∬", "oint": "∮"}
_FUNCTIONS = frozenset(re.findall(
    r"\w+", "exp log ln lg sin cos tan cot sec sinh cosh tanh coth arcsin arccos arctan det dim ker Pr gcd deg arg"))
_LIMITS = {"lim": "lim", "limsup": "lim sup", "liminf": "lim inf", "max": "max", "min": "min", "sup": "sup",
           "inf": "inf", "argmax": "arg max", "argmin": "arg min"}
_OVER = {"hat": "^", "widehat": "^", "tilde": "~", "widetilde": "~", "bar": "¯", "overline": "‾", "vec": "→",
         "overrightarrow": "→", "overleftarrow": "←", "dot": "˙", "ddot": "¨", "overbrace": "⏞"}
_UNDER = {"underline": "_", "underbrace": "⏟"}
_FONTS = {"mathbf": "BOLD", "boldsymbol": "BOLD", "bm": "BOLD", "mathcal": "SCRIPT", "mathbb": "DOUBLE-STRUCK",
          "mathfrak": "FRAKTUR", "mathsf": "SANS-SERIF", "mathtt": "MONOSPACE"}
_TEXTS = frozenset(("text", "textbf", "textit", "textrm", "texttt", "mbox"))
_SPACES = {",": "0.167em", ":": "0.222em", ";": "0.278em", "!": "-0.167em", " ": "0.25em", "\n": "0.25em",
           "quad": "1em", "qquad": "2em"}
_NOTHING = frozenset(("displaystyle", "textstyle", "limits", "nolimits"))
_FENCED = {"pmatrix": "()", "bmatrix": "[]", "Bmatrix": "{}", "vmatrix": "||", "Vmatrix": "‖‖", "cases": "{."}
_TABLES = frozenset(("matrix", "smallmatrix", "aligned", "align", "align*", "gathered", "gather", "gather*", "split",
                     "array", "equation", "equation*")) | _FENCED.keys()
_COLUMNS = {"cases": "left"} | dict.fromkeys(("aligned", "align", "align*", "split"), "aligned")  # see style.css.j2
_SIZES = frozenset(("big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "middle"))


def convert(tex: str, display: bool = False) -> Markup | None:
    """A formula as a ``<math>`` element; None if something in it is not understood.

    Parameters
    ----------
    tex : what stands between the dollars.
    display : on a line of its own, with limits below and above.
    """
    try:
        parser = _Parser(tex.strip(), display)
        content = parser.row(lambda token: False)
    except (_NotUnderstood, IndexError):
        return None
    block = ' display="block"' if display else ""
    return Markup(f'<math{block} alttext="{escape(tex.strip())}">{content}</math>')


class _NotUnderstood(Exception):
    pass


class _Parser:
    """Reads tokens from left to right; every method returns MathML and leaves `at` behind what it read."""

    def __init__(self, source: str, display: bool):
        found = list(_TOKEN.finditer(source))
        self.tokens = [token[1] for token in found]
        self.places = [token.span(1) for token in found]
        self.source, self.display = source, display
        self.at = self.depth = 0

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _NotUnderstood

    def row(self, ends: Callable[[str], bool]) -> str:
        """Everything up to a token that ends it, which stays; or to the end of the formula."""
        self.deeper()
        parts = []
        while self.next() and not ends(self.next()):
            parts.append(self.scripted())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"

    def group(self) -> str:
        """A macro's argument: what stands in braces, or the next thing."""
        if self.next() != "{":
            self.split_number()
            self.deeper()
            content = self.atom()
            self.depth -= 1
            return content
        self.take()
        content = self.row(lambda token: token == "}")
        if self.take() != "}":
            raise _NotUnderstood
        return content

    def split_number(self) -> None:
        """Without braces an argument is one digit: ``\\frac12`` is a half."""
        token = self.next()
        if token[:1].isdigit() and len(token) > 1:
            start, end = self.places[self.at]
            self.tokens[self.at:self.at + 1] = [token[0], token[1:]]
            self.places[self.at:self.at + 1] = [(start, start + 1), (start + 1, end)]

    def raw(self) -> str:
        """A macro's argument as it was typed, without macros in it."""
        if self.take() != "{":
            raise _NotUnderstood
        start = self.places[self.at - 1][1]
        while (token := self.take()) != "}":
            if token == "{" or (token[0] == "\\" and token[1:] not in ("_", "%", "&", "#", "$", " ")):
                raise _NotUnderstood
        return re.sub(r"\\(.)", r"\1", self.source[start:self.places[self.at - 1][0]])

    def scripted(self) -> str:
        """Something with what stands below and above it."""
        start = self.next()
        base = "<mrow></mrow>" if start in ("^", "_") else self.atom()
        above = below = ""
        while self.next() in ("^", "_", "'"):
            mark = self.take()
            if mark == "'":
                above += "<mo>′</mo>"
            elif mark == "^":
                above += self.group()
            elif below:
                raise _NotUnderstood
            else:
                below = self.group()
        above = f"<mrow>{above}</mrow>" if above else ""
        wide = start[1:] in _LIMITS or start in ("\\sum", "\\prod")
        limits = (self.display and wide) or start in ("\\overbrace", "\\underbrace")
        kind = "under over" if limits else "sub sup"
        low, high = kind.split()
        if above and below:
            return f"<m{low}{high}>{base}{below}{above}</m{low}{high}>"
        if above or below:
            return f"<m{high if above else low}>{base}{above or below}</m{high if above else low}>"
        return base

    def atom(self) -> str:
        """One thing: a letter, a number, a sign, a group or a macro with its arguments."""
        token = self.take()
        if token == "{":
            self.at -= 1
            return self.group()
        if token[0] == "\\" and len(token) > 1:
            return self.macro(token[1:])
        if token in ("}", "&", "^", "_", "\\"):
            raise _NotUnderstood
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>"
        return _operator({"-": "−", "*": "∗"}.get(token, token))

    def macro(self, name: str) -> str:
        if name in _GREEK:
            return f"<mi>{_GREEK[name]}</mi>"
        if name in _OPERATORS:
            return _operator(_OPERATORS[name])
        if name in _BIG:
            return f"<mo>{_BIG[name]}</mo>"
        if name in _FUNCTIONS or name in _LIMITS:
            return f"<mi>{_LIMITS.get(name, name)}</mi>"
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"></mspace>'
        if name in _NOTHING:
            return ""
        if name in ("{", "}", "%", "&", "_", "#", "$", "|"):
            return _operator("‖" if name == "|" else name)
        if name in _SIZES:
            return self.delimiter(self.take(), stretchy=name == "middle")
        return self.with_arguments(name)

    def with_arguments(self, name: str) -> str:
        if name in ("frac", "dfrac", "tfrac"):
            return f"<mfrac>{self.group()}{self.group()}</mfrac>"
        if name == "binom":
            inside = f'<mfrac linethickness="0">{self.group()}{self.group()}</mfrac>'
            return f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"
        if name == "mathrel":
            return self.group()
        if name == "sqrt":
            return self.root()
        if name in _OVER:
            return f'<mover accent="true">{self.group()}<mo>{_OVER[name]}</mo></mover>'
        if name in _UNDER:
            return f"<munder>{self.group()}<mo>{_UNDER[name]}</mo></munder>"
        if name in ("overset", "underset"):
            mark, base = self.group(), self.group()
            tag = "mover" if name == "overset" else "munder"
            return f"<{tag}>{base}{mark}</{tag}>"
        if name in _FONTS or name in ("mathrm", "mathit"):
            return self.font(name)
        if name in ("operatorname", "operatorname*"):
            return f"<mi>{escape(self.raw())}</mi>"
        if name in _TEXTS:
            return f"<mtext>{escape(self.raw()).replace(' ', chr(160))}</mtext>"  # or its spaces at the ends go
        if name == "left":
            return self.fenced()
        if name == "begin":
            return self.table()
        raise _NotUnderstood

    def root(self) -> str:
        if self.next() != "[":
            return f"<msqrt>{self.group()}</msqrt>"
        self.take()
        degree = self.row(lambda token: token == "]")
        self.take()
        return f"<mroot>{self.group()}{degree}</mroot>"

    def font(self, name: str) -> str:
        """Letters of another alphabet; more than letters and digits keep their own."""
        start = self.at
        try:
            text = self.raw() if self.next() == "{" else self.take()
        except _NotUnderstood:
            text = ""
        if not re.fullmatch(r"[A-Za-z0-9 ,.-]+", text):
            self.at = start
            return self.group()
        if name in ("mathrm", "mathit"):
            normal = ' mathvariant="normal"' if len(text) == 1 and name == "mathrm" else ""
            return f"<mi{normal}>{text}</mi>"
        return f"<mi>{''.join(_letter(character, _FONTS[name]) for character in text)}</mi>"

    def fenced(self) -> str:
        opening = self.delimiter(self.take())
        content = self.row(lambda token: token == "\\right")
        if self.take() != "\\right":
            raise _NotUnderstood
        return f"<mrow>{opening}{content}{self.delimiter(self.take())}</mrow>"

    def delimiter(self, token: str, stretchy: bool = True) -> str:
        """A bracket that grows with what it holds; ``.`` is none."""
        if token == ".":
            return ""
        name = token.removeprefix("\\")
        sign = _OPERATORS.get(name) if token[0] == "\\" and len(name) > 1 else "‖" if token == "\\|" else name
        if sign is None or len(sign) != 1 or sign.isalnum():
            raise _NotUnderstood
        return f'<mo stretchy="{"true" if stretchy else "false"}">{escape(sign)}</mo>'

    def table(self) -> str:
        name = self.raw()
        if name not in _TABLES:
            raise _NotUnderstood
        if name == "array":
            self.raw()  # how columns are aligned
        rows: list[list[str]] = [[]]
        while True:
            rows[-1].append(f"<mtd>{self.row(lambda token: token in ('&', chr(92) * 2, chr(92) + 'end'))}</mtd>")
            end = self.take()
            if end == "\\\\":
                rows.append([])
            elif end == "\\end":
                break
        if self.raw() != name:
            raise _NotUnderstood
        body = "".join(f"<mtr>{''.join(cells)}</mtr>" for cells in rows if cells != ["<mtd><mrow></mrow></mtd>"])
        opening, closing = _FENCED.get(name, "..")
        kind = f' class="{_COLUMNS[name]}"' if name in _COLUMNS else ""
        return f"<mrow>{self.delimiter(opening)}<mtable{kind}>{body}</mtable>{self.delimiter(closing)}</mrow>"


def _operator(sign: str) -> str:
    """A sign; brackets keep their size unless they stand after ``\\left``."""
    fixed = ' stretchy="false"' if sign in "()[]{}|‖⟨⟩⌊⌋⌈⌉" else ""
    return f"<mo{fixed}>{escape(sign)}</mo>"


def _letter(character: str, font: str) -> str:
    """A letter or digit in another alphabet, as it is if Unicode has none."""
    if character.isdigit():
        names = [f"MATHEMATICAL {font} {unicodedata.name(character)}"]
    elif character.isalpha():
        size = "CAPITAL" if character.isupper() else "SMALL"
        names = [f"MATHEMATICAL {font} {size} {character.upper()}",
                 f"{'BLACK-LETTER' if font == 'FRAKTUR' else font} {size} {character.upper()}"]
    else:
        return character
    for name in names:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return character
