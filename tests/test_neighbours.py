"""What runs beside an honest submission takes nothing from it: time limits count what a submission computes itself."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograde.records import GRADED, TIMEOUT
from autograde.running.sandbox import Sandbox, Turns
from tests.test_sandbox import ANSWER, grade
from unrolled.sandbox.isolate import Limits

LIMITS = Limits(cell_cpu=4, cell_idle=4, total_cpu=30, total_idle=30, total_wall=120, memory=600 << 20)
COMPUTES = '''
import time
began = time.process_time()
while time.process_time() < began + 2: pass
'''
BUSY = '''
for _ in range(40):
    if os.fork() == 0:
        while True: pass
'''


@pytest.fixture(scope="module", params=["with control groups", "without"])
def box(request):
    with Sandbox(LIMITS) as box:
        if not box.greeting["isolated"]:
            pytest.skip(f"student code cannot be closed in here: {box.reason}")
        if request.param == "without":
            box._groups.available = False
        elif not box._groups.shares:
            pytest.skip("no control group for shares of the processor can be made here")
        yield box


def earned(result) -> bool:
    return next(v for v in result.verdicts if v.exercise == "lstm.step").passed


def test_forty_busy_processes_beside_an_honest_submission(box):
    """It needs half of what a cell may compute; with two cores, a fortieth of each would take it a minute."""
    with ThreadPoolExecutor(2) as pool:
        busy = pool.submit(grade, box, BUSY + "while True: pass\n" + ANSWER)
        time.sleep(0.5)
        honest, _ = pool.submit(grade, box, COMPUTES + ANSWER).result(timeout=100)
        other, _ = busy.result(timeout=100)
    assert honest.status == GRADED, honest.note
    assert earned(honest)
    assert other.status == TIMEOUT


def test_processes_that_compute_behind_a_cells_back_count_as_its_time(box):
    began = time.monotonic()
    result, _ = grade(box, BUSY + "time.sleep(1000)\n" + ANSWER, before="import time")
    assert result.status == TIMEOUT
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("waits", ["time.sleep(1000)", "lock = threading.Lock(); lock.acquire(); lock.acquire()",
                                   "while True: time.sleep(0.5)"])
def test_what_does_not_compute_is_ended_by_the_clock(box, waits):
    began = time.monotonic()
    result, _ = grade(box, "wait()\n" + ANSWER, before=f"import threading, time\ndef wait():\n    {waits}\n")
    assert result.status == TIMEOUT
    assert time.monotonic() - began < 40


def test_a_time_out_that_a_neighbour_may_have_caused_is_tried_once_more_alone(box, monkeypatch):
    """With no control group; where there is one, the kernel gave it its share and once is enough."""
    tried = []
    run = box._run
    monkeypatch.setattr(box, "_run", lambda *arguments: tried.append(box._turns._alone) or run(*arguments))
    with ThreadPoolExecutor(2) as pool:
        beside = pool.submit(grade, box, COMPUTES + ANSWER)
        sleeper = pool.submit(grade, box, "import time\ntime.sleep(1000)\n" + ANSWER)
        assert beside.result(timeout=100)[0].status == GRADED
        assert sleeper.result(timeout=100)[0].status == TIMEOUT
    assert tried == ([0, 0] if box._groups.available else [0, 0, 1])
    tried.clear()
    grade(box, "import time\ntime.sleep(1000)\n" + ANSWER)
    grade(box, "while True: pass\n" + ANSWER)
    assert tried == [0, 0], "nobody else was there; its own processor time was used up"


def test_who_runs_alone_runs_alone():
    turns, inside, most = Turns(), [], []

    def work(alone: bool) -> None:
        for _ in range(50):
            with turns.alone() if alone else turns.beside_others():
                inside.append(alone)
                time.sleep(0.0005)
                most.append((alone, len(inside)))
                inside.pop()

    threads = [threading.Thread(target=work, args=(number == 0,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert max(count for alone, count in most if alone) == 1
    assert max(count for alone, count in most if not alone) > 1
