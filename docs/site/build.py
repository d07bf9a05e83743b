"""The course as a site: lessons as students get them, and pages for instructors and authors.

    python docs/site/build.py [FOLDER]      # default: build/site; then open index.html there

Everything comes from what is there already: the released notebooks, README.md and docs/. Sphinx makes pages of it that
need neither a server nor a network. A warning, such as a link that leads nowhere, is an error.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sphinx.cmd.build import main as sphinx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# The picture that stands for a lesson, by words of its alternative text; else its last one.
PICTURES = ("Four years of daily rain", "Eight small pictures of people", "Gradient length against lag",
            "Heat maps of the input, forget", "letters of photographer", "Six sentences in pinyin")
# Which parts of README.md are for whom.
FOR_STUDENTS = ("A student's first ten minutes",)
FOR_INSTRUCTORS = ("An instructor's week",)
FOR_AUTHORS = ("How a lesson is written", "Where things are")
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(attachment:(?P<name>[^)]+)\)")


@dataclass(frozen=True)
class Page:
    """A lesson's page: its name, title, what it is about in a sentence, the picture for it and that one's words."""

    name: str
    title: str
    about: str
    picture: str
    alt: str


def build(target: Path) -> int:
    """Write the site into a folder; returns Sphinx's exit code, 0 if nothing is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("build.py", "__pycache__"))
        pages = [lesson(path, source) for path in sorted(ROOT.glob("notebooks/*/*.ipynb"))]
        overview(pages, source)
        documents(source)
        shutil.rmtree(target, ignore_errors=True)
        return sphinx(["-q", "-W", "--keep-going", "-n", "-b", "html", "-d", str(Path(folder, "doctrees")), str(source),
                       str(target)])


# Lessons ------------------------------------------------------------------------------------------------------------

def lesson(path: Path, source: Path) -> Page:
    """Write a released notebook as a page, its pictures beside it; the picture that stands for it comes first."""
    name, cells = path.stem, json.loads(path.read_text(encoding="utf-8"))["cells"]
    (source / "lessons").mkdir(exist_ok=True)
    parts, pictures = [], []
    for number, cell in enumerate(cells):
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            parts.append(f"```python\n{text}\n```")
            continue
        for file, data in cell.get("attachments", {}).items():
            picture = f"{name}-{number}-{file}"
            (source / "lessons" / picture).write_bytes(base64.b64decode("".join(data["image/png"])))
            text = text.replace(f"(attachment:{file})", f"({picture})")
        pictures += re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)
        parts.append(markdown(text))
    title = re.match(r"# (.+)", parts[0])[1]
    alt, picture = next(((alt, file) for words in PICTURES for alt, file in pictures if words in alt), pictures[-1])
    first = re.sub(r"\A# .+\n", "", parts[0])
    seen = f"```{{figure}} {picture}\n:alt: {alt}\n\nA picture that you will have made by the end.\n```\n"
    parts[0] = f"# {title}\n\n{seen}\n{first}"
    body = "\n\n".join(parts)
    (source / "lessons" / f"{name}.md").write_text(body + "\n", encoding="utf-8")
    return Page(name, title, built(first), picture, alt)


def markdown(text: str) -> str:
    """A notebook's Markdown for a page: what waits for an answer says so; columns without a head get one for ears."""
    if text.strip() == "YOUR ANSWER HERE":
        return "```{note}\nYour answer in words goes here.\n```"
    return re.sub(r"^\|.*\|(?=[ ]*\n\|[ ]*:?-+)", _headed, text, flags=re.M)


def _headed(row: re.Match) -> str:
    cells = row[0].strip("|").split("|")
    return "|" + "|".join(cell if cell.strip() else ' <span class="unseen">what</span> ' for cell in cells) + "|"


def built(text: str) -> str:
    """What is built in a lesson, in a sentence, as its opening says it."""
    row = re.search(r"^\|\W*[Yy]ou build\W*\|\s*(.+?)\s*\|", text, re.M)
    said = re.search(r"\*\*You will build\*\*.+?[.:](?=\s)|In this lesson you .+?[.:](?=\s)", text, re.S)
    if not (row or said):
        raise ValueError("a lesson's opening says what is built: a row 'you build', or a sentence 'You will build ...'")
    plain = re.sub(r"[*`]", "", " ".join((f"You build: {row[1]}" if row else said[0]).split()))
    return plain.rstrip(":.") + "."


def overview(pages: list[Page], source: Path) -> None:
    """The list of lessons, as cards for the first page and as its own page."""
    cards = "\n".join(
        f'<li><a href="lessons/{page.name}.html"><img src="_images/{page.picture}" alt="" loading="lazy">'
        f"<strong>{page.name[:2]} · {page.title}</strong></a><span>{page.about}</span></li>" for page in pages)
    (source / "cards.txt").write_text(f'<ul class="lessons">\n{cards}\n</ul>\n', encoding="utf-8")
    listed = "\n".join(page.name for page in pages)
    (source / "lessons" / "index.md").write_text(f"""\
# The lessons

As students get them: text, exercises with hints that unfold, and the figures to aim for. To work on them, open the
notebooks: here nothing runs.

```{{toctree}}
:maxdepth: 1

{listed}
```
""", encoding="utf-8")


# README and docs ----------------------------------------------------------------------------------------------------

def documents(source: Path) -> None:
    """Pages from README.md, part by part, and from docs/."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", readme, re.M | re.S))
    for page, wanted in (("students", FOR_STUDENTS), ("instructors", FOR_INSTRUCTORS), ("authors", FOR_AUTHORS)):
        text = "\n".join(f"## {name}\n{parts[name]}" for name in wanted)
        path = source / f"{page}.md"
        begun = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(f"# For {page}\n\n{linked(text, '')}\n{begun}", encoding="utf-8")
    for path in sorted((ROOT / "docs").glob("*.md")):
        (source / path.name).write_text(linked(path.read_text(encoding="utf-8"), "docs/"), encoding="utf-8")
    for path in (ROOT / "docs").glob("*.svg"):
        shutil.copy(path, source)
    shutil.copy(ROOT / "CHANGELOG.md", source / "changes.md")


def linked(text: str, place: str) -> str:
    """Links within the site as they are there; what the site does not have is named, without a link."""
    def link(found: re.Match) -> str:
        name, _, anchor = found["to"].partition("#")
        if re.match(r"[a-z]+:", found["to"]) or not name:
            return found[0]
        there = (ROOT / place / name).resolve()
        if there.parent == ROOT / "docs" and there.suffix in (".md", ".svg"):
            return f"[{found['text']}]({there.name}{'#' + anchor if anchor else ''})"
        return found["text"]

    return re.sub(r"(?<!\\)\[(?P<text>[^\]\n]*)\]\((?P<to>[^)\s]+)\)", link, text)


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site")
    code = build(where)
    if code == 0:
        print(f"{where / 'index.html'}")
    sys.exit(code)
