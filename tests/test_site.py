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
from tests.browser import (
    WIDTHS,
    asked_for,
    keep_picture,
    look,
    look_as_before,
    scrolls_sideways,
    unreadable_on_paper,
    until,
    violations,
)

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
        self.places: list[str] = []
        self.pictures: list[dict] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.refers += [found[name] for name in ("href", "src", "action", "data", "poster") if found.get(name)]
        self.refers += [one.split()[0] for one in (found.get("srcset") or "").split(",") if one.strip()]
        self.refers += re.findall(r"url\(['\"]?([^'\")]+)", found.get("style") or "")
        self.places += [place for place in dict.fromkeys((found.get("id"), found.get("name") if tag == "a" else None))
                        if place]
        self.pictures += [found] if tag == "img" else []


def links_of(site: Path) -> tuple[list[str], set[str], set[Path]]:
    """(what leads nowhere, what leads outside, pages that can be reached from the first one) of a folder of pages.

    A link leads somewhere if its file is there and, in a page, the place that it names: once, or nobody knows which.
    """
    site = site.resolve()
    pages = {path: Seen(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")
             if "_static" not in path.parts}
    wrong, outside = [], set()
    leads: dict[Path, set[Path]] = {path: set() for path in pages}
    for path, seen in pages.items():
        for link in seen.refers:
            if re.match(r"[a-zA-Z][\w+.-]*:", link) or link.startswith("//"):
                outside |= {link}
                continue
            file, _, place = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            if target.is_dir() and target == site:
                target /= "index.html"
            if not target.is_file() or not target.is_relative_to(site):
                wrong.append(f"{path.relative_to(site)}: {link}: there is no such file")
            elif place and target in pages and (times := pages[target].places.count(unquote(place))) != 1:
                wrong.append(f"{path.relative_to(site)}: {link}: the place is there {times} times")
            if target in leads:
                leads[path].add(target)
    for style in site.rglob("*.css"):
        for link in re.findall(r"url\(\s*['\"]?([^'\")]+)", style.read_text(encoding="utf-8")):
            if link.startswith(("data:", "#", "%23")):
                continue
            if re.match(r"[a-z]+:|//", link):
                outside |= {link}
            elif not (style.parent / re.split(r"[?#]", link)[0]).is_file():
                wrong.append(f"{style.relative_to(site)}: {link}: there is no such file")
    reached, new = set(), {site / "index.html"}
    while new:
        reached |= new
        new = {there for page in new for there in leads.get(page, ())} - reached
    return sorted(set(wrong)), outside, reached


def test_every_link_leads_somewhere(site):
    wrong, outside, reached = links_of(site)
    assert not wrong, "\n".join(wrong[:20])
    assert not [link for link in outside if not re.match(r"https://[\w.-]+\.[a-z]+(/|$)|data:image/|mailto:", link)]
    assert len(reached) >= len(course.lessons()) + 12
    pages = {path for path in site.resolve().rglob("*.html") if "_static" not in path.parts}
    assert {path.name for path in pages - reached} <= {"search.html"}, "reached by what is typed into it"


def test_a_link_that_leads_nowhere_is_noticed(tmp_path):
    (tmp_path / "index.html").write_text(
        "<a href='b.html#there'>x</a><a href='b.html#twice'>x</a><a href='b.html#not'>x</a><a href='#not'>x</a>"
        "<a href='c.html'>x</a><img src='no.png' srcset='no2.png 2x'><form action='no.html'></form>"
        "<p style='background:url(no3.png)'></p><a href='../'>x</a><a href='//there.example/'>x</a>")
    (tmp_path / "b.html").write_text("<p id=there><p id=twice><p id=twice>")
    (tmp_path / "d.html").write_text("<p>")
    (tmp_path / "s.css").write_text("p { background: url('no4.png') } q { background: url(https://there.example/p) }")
    wrong, outside, reached = links_of(tmp_path)
    assert [line.split(": ")[1] for line in wrong] == ["#not", "../", "b.html#not", "b.html#twice", "c.html", "no.html",
                                                       "no.png", "no2.png", "no3.png", "no4.png"]
    assert outside == {"//there.example/", "https://there.example/p"}
    assert {path.name for path in reached} == {"index.html", "b.html"}


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


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_printed(site, looked_at, name):
    """From a dark screen too: browsers leave the ground out and print pale words on white."""
    for dark in (False, True):
        look(looked_at, 718, dark)
        looked_at.get((site / f"{name}.html").as_uri())
        until(looked_at, 10, lambda wanted="dark" if dark else "light":
              looked_at.execute_script("return document.documentElement.dataset.theme") == wanted)
        look(looked_at, 718, dark, media="print")
        keep_picture(looked_at, f"site-{name.replace('/', '-')}-print-{'dark' if dark else 'light'}")
        assert not unreadable_on_paper(looked_at), dark
        assert not scrolls_sideways(looked_at)
