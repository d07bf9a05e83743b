"""The course as a site: built from what is there, every link leads somewhere, for all eyes, nothing from outside."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from autograde import course
from tests.browser import WIDTHS, asked_for, keep_picture, look, look_as_before, scrolls_sideways, until, violations

PAGES = ["index", "lessons/00_start_here", "instructors", "search"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Built as `make site` does it, without a warning."""
    folder = tmp_path_factory.mktemp("site") / "built"
    done = subprocess.run([sys.executable, "docs/site/build.py", str(folder)], cwd=course.ROOT, text=True,
                          capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert done.stdout.strip().endswith("index.html") and not done.stderr.strip()
    return folder


class Seen(HTMLParser):
    """What a page refers to, its pictures, and the places in it that can be linked to."""

    def __init__(self, html: str):
        super().__init__()
        self.refers: list[str] = []
        self.places: set[str] = set()
        self.pictures: list[dict] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.refers += [found[name] for name in ("href", "src") if found.get(name)]
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        self.pictures += [found] if tag == "img" else []


def test_every_link_leads_somewhere(site):
    pages = {path: Seen(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
             if "_static" not in path.parts}
    assert len(pages) >= len(course.lessons()) + 12
    wrong, outside = [], set()
    for path, seen in pages.items():
        for link in seen.refers:
            if re.match(r"[a-z]+:", link) or link.startswith("//"):
                outside |= {link}
                continue
            file, _, place = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if not target.is_file() or (place and target in pages and unquote(place) not in pages[target].places):
                wrong.append(f"{path.relative_to(site)}: {link}")
    assert not wrong, "\n".join(sorted(set(wrong))[:20])
    assert not [link for link in outside if not link.startswith("https://")], outside


@pytest.mark.parametrize("name", course.lessons())
def test_a_lesson_says_what_is_built_and_shows_it(site, name):
    html = (site / "lessons" / f"{name}.html").read_text(encoding="utf-8")
    body = html[html.index("<article"):html.index("</article>")]
    opening = body[:body.index("<h2>")]
    assert re.search(r"<figure.*?<img[^>]*alt=\"[^\"]{30,}\"", opening, re.S), "the picture, in words too"
    assert re.search(r"you build|you will build|in this lesson you", opening, re.I), "what is built"
    assert re.search(r"minutes|hours", opening) and "points" in opening
    assert all(picture.get("alt") for picture in Seen(body).pictures)
    assert len(Seen(body).pictures) > html.count("attachment:") == 0
    assert "Hint 1" in body and "NotImplementedError" in body and "BEGIN SOLUTION" not in body
    assert not re.search(r"\$[^$<]*\\[a-z]+[^$<]*\$", re.sub(r"<pre.*?</pre>|<code.*?</code>", "", body, flags=re.S))


@pytest.fixture
def looked_at(browser):
    browser.get("about:blank")
    asked_for(browser)
    browser.get_log("browser")
    yield browser
    look_as_before(browser)
    browser.get("about:blank")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody_at_every_width_by_day_and_by_night(site, looked_at, name):
    found = []
    look(looked_at, 1280)
    looked_at.get((site / f"{name}.html").as_uri())
    for dark in (False, True):
        for width in WIDTHS:
            look(looked_at, width, dark)
            seen = f"{width} {'dark' if dark else 'light'}"
            until(looked_at, 10, lambda wanted=seen: wanted.endswith(
                looked_at.execute_script("return document.documentElement.dataset.theme || '-'")))
            # The theme lets keys reach what scrolls in a window of this width, a moment after it has changed.
            until(looked_at, 10, lambda: looked_at.execute_script("""
                return [...document.querySelectorAll("pre, .pst-scrollable-table-container")].every(
                    e => e.scrollWidth <= e.clientWidth || e.tabIndex === 0);"""))
            keep_picture(looked_at, f"site-{name.replace('/', '-')}-{seen.replace(' ', '-')}")
            found += [f"{seen}: {line}" for line in (*violations(looked_at), *scrolls_sideways(looked_at))]
    assert not found, "\n".join(found)
    assert {address.partition(":")[0] for address in asked_for(looked_at)} <= {"file", "about"}, "nothing from outside"


def test_the_search_finds_a_word_without_a_server(site, looked_at):
    looked_at.get((site / "search.html").as_uri() + "?q=peephole")
    found = until(looked_at, 60, lambda: looked_at.execute_script(
        "return [...document.querySelectorAll('#search-results li a')].map(a => a.href)"))
    assert any("04_lstm" in link for link in found)
    assert {address.partition(":")[0] for address in asked_for(looked_at)} <= {"file", "about"}
