"""The rooms of `autograde/` and `unrolled/` and the arrows between them, read from the imports.

    python -m tests.architecture      # draws docs/architecture.svg and writes the table in docs/architecture.md

A room is a subpackage; the modules that lie directly in a package are rooms too, see `_ROOMS`. An arrow goes from the
room that imports to the room it imports from; imports inside functions count. `tests/test_architecture.py` holds both
files to the imports, and the imports to the order.
"""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from functools import cache
from xml.sax.saxutils import escape

import grimp

from autograde import course

# The order in which data flows, and so the order of the floors: a room imports only from rooms on lower floors.
FLOORS = {"autograde: the ground": 0, "autograde.intake": 1, "autograde.judging": 2, "autograde.running": 3,
          "autograde.authoring": 3, "autograde.recording": 4, "autograde: the commands": 5}
# The one place where `unrolled` asks `autograde`: a check on a student's own machine, who is their own grader.
EXCEPTION = ("unrolled.checking", "autograde.judging")

COMMANDS = ("__main__", "author", "cli", "nbgrader", "office", "proof", "run", "show", "starting")
# Rooms without a folder, by what they are for.
_ROOMS = {
    "autograde: the ground": "Where things lie, what crosses a wall, what a cell is, how a student's text is shown.",
    "autograde: the commands": "What a person types or presses: it calls the rooms below and shows what came of it.",
    "unrolled: the notebook": "What a lesson imports: check, its panel, figures; and a quiet start.",
}
# Rooms that every lesson widens.
_MANY = {"unrolled.data": "one module a data set", "unrolled.lessons": "one module a topic",
         "unrolled.probes": "one module a topic"}
DRAWING = course.ROOT / "docs" / "architecture.svg"
PAGE = course.ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- table: python -m tests.architecture -->", "<!-- end of the table -->"


@dataclass(frozen=True)
class Room:
    """One room: its modules' short names, and the names of the rooms it imports from."""

    name: str
    purpose: str
    modules: tuple[str, ...]
    uses: tuple[str, ...]


def room_of(module: str) -> str:
    """The room a module lies in, by its full name."""
    package, _, rest = module.partition(".")
    top = rest.partition(".")[0]
    if top and (course.ROOT / package / top).is_dir():
        return f"{package}.{top}"
    if package == "unrolled":
        return "unrolled: the notebook"
    return "autograde: the commands" if top in COMMANDS else "autograde: the ground"


@cache
def imports() -> dict[str, frozenset[str]]:
    """For each module of the two packages, the modules of the two that it imports, anywhere in its text."""
    graph = grimp.build_graph("autograde", "unrolled", cache_dir=None)
    return {module: frozenset(graph.find_modules_directly_imported_by(module)) for module in sorted(graph.modules)}


@cache
def rooms() -> tuple[Room, ...]:
    """All rooms, the lowest first: each stands above every room that it uses."""
    inside: dict[str, list[str]] = {}
    for module in imports():
        inside.setdefault(room_of(module), []).append(module)
    uses = {name: {room_of(used) for module in modules for used in imports()[module]} - {name}
            for name, modules in inside.items()}
    placed: list[str] = []
    while len(placed) < len(inside):
        free = [name for name in inside if name not in placed and uses[name] <= set(placed)]
        if not free:
            raise ValueError(f"a circle: {', '.join(sorted(set(inside) - set(placed)))} import one another")
        placed.append(min(free, key=lambda name: (FLOORS.get(name, 0), name)))
    return tuple(Room(name, _purpose(name), _modules(name, inside[name]),
                      tuple(other for other in reversed(placed) if other in uses[name])) for name in placed)


def _purpose(name: str) -> str:
    """The first sentence of the package's docstring."""
    if name in _ROOMS:
        return _ROOMS[name]
    source = (course.ROOT / name.replace(".", "/") / "__init__.py").read_text(encoding="utf-8")
    paragraph = " ".join(ast.get_docstring(ast.parse(source)).partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].removesuffix(".") + "."


def _modules(name: str, modules: list[str]) -> tuple[str, ...]:
    """Short names of what lies in a room; a folder in it counts as one."""
    if name in _MANY:
        return (_MANY[name],)
    depth = name.count(".") + 1
    parts = [module.split(".")[depth:] for module in modules]
    folders = {first for first, *rest in filter(None, parts) if rest}
    found = {f"{first}/" if first in folders else first for first, *_ in filter(None, parts)}
    return tuple(sorted(found - {"__main__"}))


def table() -> str:
    """The rooms as a Markdown table, the highest first."""
    rows = [f"| **{r.name}** | {r.purpose} | {', '.join(r.modules)} | {', '.join(r.uses) or 'nothing'} |"
            for r in reversed(rooms())]
    return "\n".join(["| room | what it is for | modules | imports from |", "|---|---|---|---|", *rows])


# The picture: one column of rooms. Each room has a lane of its own, in which its arrows run down. ------------------

WIDTH, BOX, LEFT, LANE, GAP, LINE = 960, 620, 190, 26, 14, 17
COLOURS = ("#0072B2", "#B34E00", "#007A5A", "#8F3F71", "#7A5C00", "#444444")  # on white 4.5 : 1 or better


def drawing() -> str:
    """The picture as SVG text: every arrow goes down, or there would be no such picture."""
    shown = list(reversed(rooms()))
    places, y = {}, 60
    for room in shown:
        places[room.name] = (y, 34 + LINE * len(_lines(room)))
        y += places[room.name][1] + GAP
    parts = [part for room in shown for part in _box(room, *places[room.name])]
    for package in ("autograde", "unrolled"):
        sources = [room for room in shown if room.name.startswith(package) and room.uses]
        for number, room in enumerate(sources):
            away = LANE * (len(sources) - number)  # the highest room's lane is the outermost
            parts += _arrows(room, places, away, COLOURS[number % len(COLOURS)])
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" aria-labelledby="t d">',
        '<title id="t">The rooms of autograde and unrolled, and which imports from which</title>',
        f'<desc id="d">{escape(" ".join(_sentence(room) for room in shown))}</desc>',
        f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600" fill="#222">Who imports from whom: '
        "every arrow goes down</text>",
        f'<text x="{LEFT}" y="44" fill="#444">blue: autograde, hidden from student code · '
        "green: unrolled, what student code may see · dashed: the one exception</text>", *parts, "</svg>", ""])


def _sentence(room: Room) -> str:
    return f"{room.name} imports from {', '.join(room.uses) or 'nothing'}."


def _lines(room: Room) -> list[tuple[str, str]]:
    """The text below a room's name: each line with its style."""
    mono = 'fill="#444" font-size="12" font-family="ui-monospace, monospace"'
    return [*((line, 'fill="#222"') for line in textwrap.wrap(room.purpose, 86)),
            *((line, mono) for line in textwrap.wrap(", ".join(room.modules), 82))]


def _box(room: Room, y: int, height: int) -> list[str]:
    fill = "#EAF2FA" if room.name.startswith("autograde") else "#EDF6EC"
    return [f'<rect x="{LEFT}" y="{y}" width="{BOX}" height="{height}" rx="6" fill="{fill}" stroke="#555"/>',
            f'<text x="{LEFT + 14}" y="{y + 21}" font-weight="600" fill="#111">{escape(room.name)}</text>',
            *(f'<text x="{LEFT + 14}" y="{y + 21 + LINE * number}" {style}>{escape(line)}</text>'
              for number, (line, style) in enumerate(_lines(room), 1))]


def _arrows(room: Room, places: dict[str, tuple[int, int]], away: int, colour: str) -> list[str]:
    """From the foot of a room out to its lane, down the lane, and into each room that it uses."""
    edge, out = (LEFT, -1) if room.name.startswith("autograde") else (LEFT + BOX, 1)
    lane, start = edge + out * away, sum(places[room.name]) - 9
    # Arrows from different lanes come in at different heights, so that they can be told apart.
    ends = {used: places[used][0] + 4 + away // LANE * 6 for used in room.uses}
    parts = [f'<circle cx="{edge}" cy="{start}" r="3.2" fill="{colour}"/>',
             f'<path d="M{edge} {start}H{lane}V{max(ends.values())}" fill="none" stroke="{colour}" '
             'stroke-width="1.6"/>']
    for used, end in ends.items():
        dashed = ' stroke-dasharray="4 3"' if (room.name, used) == (room_of(EXCEPTION[0]), EXCEPTION[1]) else ""
        parts.append(f'<path d="M{lane} {end}H{edge + out * 8}" stroke="{colour}" stroke-width="1.6"{dashed}/>'
                     f'<path d="M{edge + out} {end}l{out * 9} -4.2v8.4z" fill="{colour}"/>')
    return parts


def page() -> str:
    """docs/architecture.md with its table made new; the prose around it is written by hand."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    course.write_text(DRAWING, drawing())
    course.write_text(PAGE, page())
