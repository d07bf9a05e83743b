"""The panel a check shows: compact HTML in a notebook, the same words as plain text everywhere else."""

from __future__ import annotations

import html
import sys

_ICONS = {"passed": "✔", "partly right": "◐", "not written yet": "✎"}


def as_text(verdict) -> str:
    """The panel in plain text: one line for the verdict, one an aspect, then what to do next."""
    lines = [f"{_icon(verdict.state)} {verdict.headline}"]
    if verdict.note:
        lines.append(f"  {verdict.note}")
    elif not verdict.passed:
        lines += [f"  {'✔ right' if a.passed else '✘ wrong'}  {a.name} ({_points(a)})" for a in verdict.aspects]
    lines += [f"  → {d.says}" for d in verdict.diagnosis]
    lines += [f"  … {a.name}: {a.evidence}" for a in _shown(verdict)]
    return "\n".join(lines)


def as_html(verdict) -> str:
    """The panel as HTML: icon and word, never colour alone; no script, nothing from outside."""
    border = {"passed": "#1b7837", "not written yet": "#666"}.get(verdict.state, "#b35806")
    parts = [f'<div role="status" style="border-left:4px solid {border};padding:.4em .8em;margin:.2em 0">',
             f"<strong>{_icon(verdict.state)} {html.escape(verdict.headline)}</strong>"]
    if verdict.note:
        parts.append(f"<div>{_inline(verdict.note)}</div>")
    elif not verdict.passed:
        rows = "".join(f"<li>{'✔ right' if a.passed else '✘ wrong'}: {html.escape(a.name)} "
                       f"({_points(a)})</li>" for a in verdict.aspects)
        parts.append(f'<ul style="margin:.3em 0;list-style:none;padding-left:.5em">{rows}</ul>')
    parts += [f'<div style="margin-top:.3em">→ {_inline(d.says)}</div>' for d in verdict.diagnosis]
    parts += [f'<div style="margin-top:.3em">… <em>{html.escape(a.name)}</em>: {_inline(a.evidence)}</div>'
              for a in _shown(verdict)]
    return "".join([*parts, "</div>"])


def show(verdict) -> None:
    """Display the panel in a notebook, print it elsewhere."""
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:
            display({"text/plain": as_text(verdict), "text/html": as_html(verdict)}, raw=True)
            return
    print(as_text(verdict))


def _icon(state: str) -> str:
    return _ICONS.get(state, "✘")


def _points(aspect) -> str:
    """``2/3``, or what is taken off: ``−1``."""
    return f"{aspect.points:g}/{aspect.max_points:g}" if aspect.max_points else f"−{-aspect.points:g}"


def _shown(verdict) -> list:
    """Evidence worth reading: each different sentence once."""
    seen: dict[str, object] = {}
    for aspect in verdict.aspects:
        if aspect.evidence:
            seen.setdefault(aspect.evidence, aspect)
    return list(seen.values())


def _inline(text: str) -> str:
    """Escape, then turn `code` into <code>."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
