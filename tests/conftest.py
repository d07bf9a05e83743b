"""What all tests share, and the table of what the checks are worth, printed at the end of a run."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, nothing written beside the tests, and no time limits on a busy machine.
settings.register_profile("course", derandomize=True, database=None, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("course")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One headless Chromium for all tests that look at pages; they are skipped where there is none."""
    from tests.browser import chromium

    with chromium(tmp_path_factory.mktemp("browser")) as found:
        yield found


def pytest_runtest_makereport(item, call):
    """What a test of a layer's feature found goes into its report, for the table."""
    mark = item.get_closest_marker("feature")
    if mark and call.when == "call":
        item.user_properties.append(("feature", (mark.args[0], item.callspec.params["name"])))


def pytest_terminal_summary(terminalreporter):
    _what_layers_can_do(terminalreporter)
    _what_checks_are_worth(terminalreporter)


def _what_layers_can_do(terminalreporter):
    cells: dict[tuple[str, str], str] = {}
    for outcome, sign in (("passed", "+"), ("failed", "FAILED"), ("skipped", ".")):
        for report in terminalreporter.stats.get(outcome, []):
            for key, cell in getattr(report, "user_properties", ()):
                if key == "feature" and report.when == "call":
                    cells[cell] = "FAILED" if "FAILED" in (sign, cells.get(cell)) else sign
    if not cells:
        return
    features, names = list(dict.fromkeys(f for f, _ in cells)), list(dict.fromkeys(n for _, n in cells))
    import keras

    terminalreporter.section(f"what the layers can do, on {keras.backend.backend()}: + tested, . skipped")
    wide = max(map(len, features)) + 2
    for number, name in enumerate(names):
        terminalreporter.write_line(f"{'':{wide}}{'|  ' * number}{name}")
    for title in features:
        row = "".join(f"{cells.get((title, name), ' '):<3}" for name in names)
        terminalreporter.write_line(f"{title:<{wide}}{row}".rstrip())


def _what_checks_are_worth(terminalreporter):
    rows: dict[str, dict[str, set | dict]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            found = re.search(r"(test_right_answer|test_misconception_is)\w+\[(\w+)\.(\w+): (.*?)-(?:None|\d+)\]",
                              report.nodeid)
            if found and getattr(report, "when", "") == "call":
                kind, topic, name, what = found.groups()
                row = rows.setdefault(topic, {"exercises": set(), "right": {}, "wrong": {}})
                row["exercises"].add(name)
                results = row["right" if "right" in kind else "wrong"]
                results[name, what] = results.get((name, what), True) and outcome == "passed"
    if not rows:
        return
    write = terminalreporter.write_line
    terminalreporter.section("what the checks are worth")
    write(f"{'topic':<8}{'exercises':>10}   {'misconceptions: rejected / named / total':<45}"
          "right answers: accepted / total")
    for topic, row in sorted(rows.items()):
        right, wrong = row["right"], row["wrong"]
        write(f"{topic:<8}{len(row['exercises']):>10}   {f'{sum(wrong.values())} / {len(wrong)}':<45}"
              f"{sum(right.values())} / {len(right)}")
