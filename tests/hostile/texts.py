"""What somebody may write, be called or cause so that a page runs it or asks for something: each text by itself.

HTML, SVG, Markdown, LaTeX, and what closes the place it stands in. `elsewhere` is where they would call; what they run
says so by `alert`, `prompt` or the window's title.
"""

from __future__ import annotations

from tests.test_feedback import ATTACKS, EVIL

MORE = [
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data='http://elsewhere.invalid/o'></object>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><use href='http://elsewhere.invalid/u#x'/></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    "<math href='javascript:alert(1)'><mi>x</mi></math>",
    "<video src='http://elsewhere.invalid/v' autoplay></video>",
    "<link rel=stylesheet href='http://elsewhere.invalid/c'>",
    "<meta http-equiv=refresh content='0;url=http://elsewhere.invalid/'>",
    "<style>@import 'http://elsewhere.invalid/s'; body { background: url(http://elsewhere.invalid/b) }</style>",
    "<p style='background:url(http://elsewhere.invalid/p)'>x</p>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "<base href='http://elsewhere.invalid/'>",
    "</title></style></script><script>alert(1)</script>",
    "</textarea></pre></td></table><script>alert(1)</script>",
    "' onmouseover='alert(1)' x='",
    '" onfocus="alert(1)" autofocus="',
    '";alert(1);//',
    "`<script>alert(1)</script>`",
    "{{ 7 * 7 }}{% raw %}",
    "[a](http://elsewhere.invalid/a) ![a](http://elsewhere.invalid/i.png) <http://elsewhere.invalid/l>",
    "[a]\n\n[a]: http://elsewhere.invalid/r\n\n![b][c]\n\n[c]: http://elsewhere.invalid/i",
    "| <img src=x onerror=alert(1)> | $\\href{javascript:alert(1)}{x}$ |\n|---|---|\n| <script>alert(1)</script> | x |",
    "> - 1. <img src=x onerror=alert(1)>",
    "$$\\class{x}{\\cssId{y}{\\require{html}}}$$",
    "$\\includegraphics{http://elsewhere.invalid/i}$",
    "$\\text{<img src=x onerror=alert(1)>}$ $x < <script>alert(1)</script>$",
    "$$\\begin{matrix}<script>alert(1)</script> & \\style{background:url(http://elsewhere.invalid/m)}{x}\\end{matrix}$$",
    "\\(\\href{javascript:alert(1)}{x}\\) \\[\\href{javascript:alert(1)}{x}\\]",
    "NameError: name '<script>alert(1)</script>' is not defined (line 2: `<img src=x onerror=alert(1)>`)",
    "\x1b]8;;http://elsewhere.invalid/\x07click\x1b]8;;\x07 \x1b[31m<script>alert(1)</script>\x1b[0m",
]
ALL = [EVIL, *ATTACKS, *MORE]
# Of them those that can be a person's name: one line, as long as a gradebook keeps.
NAMES = [text for text in ALL if text.isprintable() and len(text) <= 120]
