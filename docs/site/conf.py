"""How Sphinx makes the site; `build.py` brings the pages."""

import sys
import tomllib
from pathlib import Path

from sphinx.util import logging

try:
    from autograde.recording import mathml
except ModuleNotFoundError as error:
    sys.exit(f"the site is built in the course's environment (make site): {error}")
import autograde

_DESCRIBED = (Path(autograde.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
project, version = "Unrolled", tomllib.loads(_DESCRIBED)["project"]["version"]
author = "the authors of Unrolled"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "attrs_inline"]
myst_heading_anchors = 4
exclude_patterns = ["templates"]
root_doc = "index"
html_theme = "pydata_sphinx_theme"
html_title = "Unrolled"
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["unrolled.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "back_to_top_button": False,
    "logo": {"text": "Unrolled"},
}
html_sidebars = {"index": []}
copyright = author
log = logging.getLogger(__name__)


def _set(translator, node, *, display: bool) -> None:
    """A formula by the course's own hand: MathML, which needs no script and no network."""
    from docutils import nodes

    made = mathml.convert(node.astext(), display=display)
    if made is None:
        log.warning("a formula that cannot be set: %s", node.astext(), location=node)
        made = translator.encode(node.astext())
    tag = "div" if display else "span"
    focus = ' tabindex="0"' if display else ""
    translator.body.append(f'<{tag} class="formula"{focus}>{made}</{tag}>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(
        "mathml", (lambda translator, node: _set(translator, node, display=False), None),
        (lambda translator, node: _set(translator, node, display=True), None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
