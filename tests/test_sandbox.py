"""What the closed-in process may see and do; as root and as an ordinary user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from autograde import course
from autograde.cli import app
from autograde.course import UserError
from autograde.records import CRASHED, GRADED, Step, Submission
from autograde.running import cgroup, engine, sandbox
from autograde.running.sandbox import Sandbox, SandboxError
from unrolled.sandbox import isolate
from unrolled.sandbox.isolate import Limits

LIMITS = Limits(cell_cpu=3, cell_idle=10, total_cpu=40, total_idle=40, total_wall=80, memory=600 << 20)
SET_UP = "import unrolled.quiet\nimport numpy as np\nfrom keras import ops\nfrom unrolled import check\nimport os\n"
ANSWER = '''
def lstm_step(x, h, c, W, U, b):
    i, f, g, o = ops.split(ops.matmul(x, W) + ops.matmul(h, U) + b, 4, axis=-1)
    c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
    return ops.sigmoid(o) * ops.tanh(c), c
'''


@pytest.fixture(scope="module")
def box():
    with Sandbox(LIMITS) as box:
        if not box.greeting["isolated"]:
            pytest.skip(f"student code cannot be closed in here: {box.reason}")
        yield box


def grade(box, code: str, before: str = "", after: str = ""):
    """One submission of one exercise: its result, and what its answer cell printed."""
    steps = (Step("code", 0, SET_UP + before), Step("solution", 1, code, "lstm.step"),
             Step("check", 2, 'check("lstm.step", lstm_step)', "lstm.step"))
    submission = Submission("ada", "04_lstm", None, steps, {"lstm.step": code})
    result = engine.grade(submission, engine.seeds(b"secret", "ada"), box)
    return result, result.outputs[1].text if 1 in result.outputs else ""


def test_an_answer_earns_its_points(box):
    result, _ = grade(box, ANSWER)
    assert result.status == GRADED
    assert next(v for v in result.verdicts if v.exercise == "lstm.step").passed


def test_only_the_course_s_public_part_is_there(box):
    _, printed = grade(box, "import unrolled\nprint(sorted(os.listdir(os.path.dirname(os.path.dirname("
                            "unrolled.__file__)))))" + ANSWER)
    seen = printed.split("[")[1].split("]")[0]
    assert "'unrolled'" in seen
    for hidden in ("autograde", "solutions", "notebooks", "samples", "tests", ".git", ".unrolled"):
        assert f"'{hidden}'" not in seen


def test_children_share_nothing(box):
    grade(box, "open('/tmp/mine', 'w').write('x'); open('/dev/shm/mine', 'w').write('x'); open('mine', 'w')" + ANSWER)
    _, printed = grade(box, "print(os.listdir('/tmp'), os.listdir('/dev/shm'), sorted(os.listdir('.')))" + ANSWER)
    assert "mine" not in printed


def test_random_numbers_differ_between_children(box):
    code = "import random, keras\nprint(random.random(), np.random.rand())" + ANSWER
    first, second = grade(box, code)[1], grade(box, code)[1]
    assert first and first != second


def test_privileges_are_gone(box):
    _, printed = grade(box, "print(open('/proc/self/status').read())" + ANSWER)
    status = dict(line.split(":\t", 1) for line in printed.splitlines() if ":\t" in line)
    assert all(int(status[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert status["Uid"].split()[0] != "0"


def test_the_warm_process_runs_no_operation(box):
    """Its thread count is what it was after the imports; one operation would add TensorFlow's pools."""
    assert box.greeting["threads"] <= 2
    grade(box, ANSWER)
    warm = [int(p) for p in Path(f"/proc/{box._process.pid}/task/{box._process.pid}/children").read_text().split()]
    assert len(os.listdir(f"/proc/{warm[0]}/task")) == box.greeting["threads"]


def test_children_run_operations_directly(box):
    """Not as graphs of one operation, which costs each child a quarter of its time: such a graph shows in messages."""
    result, _ = grade(box, "ops.matmul(np.ones((2, 3), 'float32'), np.ones((2, 3), 'float32'))" + ANSWER)
    assert "Matrix size-incompatible" in result.outputs[1].error
    assert "function_node" not in result.outputs[1].error


def test_nothing_runs_before_its_limits_are_in_place(monkeypatch):
    ready = []

    def slow(group, pid, put=cgroup.Group.add):
        time.sleep(0.5)
        put(group, pid)
        ready.append(time.monotonic())

    monkeypatch.setattr(cgroup.Group, "add", slow)
    monkeypatch.setattr(cgroup.Unlimited, "add", lambda group, pid, put=cgroup.Unlimited.add: slow(group, pid, put))
    with Sandbox(LIMITS) as box:
        _, printed = grade(box, "import time\nprint(time.monotonic())" + ANSWER)
    assert float(printed) > ready[0]


def test_a_lost_warm_process_is_replaced(box):
    starts = box.starts
    box._process.kill()
    box._process.wait()
    result, _ = grade(box, ANSWER)
    assert result.status == GRADED
    assert box.starts == starts + 1


def test_a_submission_lost_with_its_warm_process_is_run_again(box):
    """Also while the process outside the namespace, whose exit tells of the loss, has not ended yet."""
    starts = box.starts
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(grade, box, "import time\ntime.sleep(2)\n" + ANSWER)
        time.sleep(1)
        outside = box._process.pid
        [warm] = Path(f"/proc/{outside}/task/{outside}/children").read_text().split()
        os.kill(outside, signal.SIGSTOP)
        os.kill(int(warm), signal.SIGKILL)
        result, _ = future.result(timeout=60)
    assert result.status == GRADED
    assert next(v for v in result.verdicts if v.exercise == "lstm.step").passed
    assert box.starts == starts + 1


def test_a_warm_process_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(sandbox, "MODULES", ("no_such_module",))
    with pytest.raises(SandboxError, match="no_such_module"):
        Sandbox(LIMITS).start()


@pytest.fixture
def groups():
    """The control groups there are, of any engine."""
    parents = set(cgroup._find_parents()[1].values())
    if not parents:
        pytest.skip("no control group can be made here")
    return lambda: {path for parent in parents for path in parent.glob("unrolled-*")}


def test_control_groups_of_a_killed_engine_are_removed_by_the_next(groups):
    before = groups()
    killed = subprocess.run([sys.executable, "-c", "import os, signal; from autograde.running import cgroup\n"
                             "cgroup.Groups(1 << 29, 10); os.kill(os.getpid(), signal.SIGKILL)"], cwd=course.ROOT)
    assert killed.returncode == -signal.SIGKILL
    assert len({path.name for path in groups() - before}) == 1
    cgroup.Groups(1 << 29, 10).remove()
    assert not groups() - before


def test_a_sandbox_that_cannot_start_leaves_no_control_group(groups, monkeypatch):
    before = groups()
    monkeypatch.setattr(sandbox, "MODULES", ("no_such_module",))
    with pytest.raises(SandboxError), Sandbox(LIMITS):
        pass
    assert not groups() - before


def test_a_program_that_exits_is_crashed_and_keeps_what_came_before(box):
    steps = (Step("code", 0, SET_UP), Step("solution", 1, ANSWER, "lstm.step"),
             Step("check", 2, 'check("lstm.step", lstm_step)', "lstm.step"),
             Step("solution", 3, "os._exit(1)", "lstm.gates"))
    result = engine.grade(Submission("ada", "04_lstm", None, steps), engine.seeds(b"s", "ada"), box)
    assert result.status == CRASHED
    assert next(v for v in result.verdicts if v.exercise == "lstm.step").passed


def test_inputs_are_all_that_travels(box):
    """The job holds the cases' inputs, and neither expected values nor the reference's name."""
    from autograde.judging import oracles
    from unrolled.sandbox import channel

    exercise = oracles.get("lstm.step")
    cases = {exercise.id: exercise.draw(3)}
    job = channel.pack("job", {"steps": []}, engine.inputs(cases))
    for case in cases[exercise.id].values():
        for value in exercise.reference(case).values():
            assert np.asarray(value, np.float64).tobytes() not in job


def test_doctor_says_what_is_in_force(box):
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0
    for name in isolate.PROTECTIONS:
        assert f"✔ on   {name}" in result.output


def test_where_the_warm_process_cannot_start_doctor_and_grade_say_so_in_words(monkeypatch, tmp_path):
    from autograde.authoring import samples

    monkeypatch.setattr(sandbox, "MODULES", ("no_such_module",))
    monkeypatch.setattr(sandbox, "_shared", None)
    doctor = CliRunner().invoke(app, ["doctor"])
    assert doctor.exit_code == 1
    assert "✘ Nothing can be graded here: the warm process did not start" in doctor.output
    assert "No module named 'no_such_module'" in doctor.output and "make clean setup" in doctor.output
    assert "Traceback" not in doctor.output
    samples.write_class("04_lstm", tmp_path / "submitted", count=1)
    grade = CliRunner().invoke(app, ["grade", "04_lstm", "--submitted", str(tmp_path / "submitted"),
                                     "--output", str(tmp_path / "out")])
    assert isinstance(grade.exception, UserError), "one line and exit code 2"
    assert "no_such_module" in str(grade.exception) and "Traceback" not in str(grade.exception)


def test_without_a_sandbox_grading_needs_to_be_told(monkeypatch, tmp_path):
    """Where the system forbids namespaces, nothing runs unprotected by accident, and nothing is claimed."""
    from autograde.authoring import samples

    monkeypatch.setattr(isolate, "supported", lambda: False)
    monkeypatch.setattr(sandbox, "_shared", None)
    samples.write_class("04_lstm", tmp_path / "submitted", count=1)
    arguments = ["grade", "04_lstm", "--submitted", str(tmp_path / "submitted"), "--output", str(tmp_path / "out")]
    try:
        refused = CliRunner().invoke(app, arguments)
        assert "unprotected" in str(refused.exception)
        allowed = CliRunner().invoke(app, [*arguments, "--unprotected"])
        assert allowed.exit_code == 0, allowed.output
        assert "NOT closed in" in allowed.stderr
        doctor = CliRunner().invoke(app, ["doctor"])
        assert doctor.exit_code == 1
        assert "✘ OFF  network" in doctor.output
    finally:
        sandbox.close_shared()


# As another user, in a mount namespace of its own where folders that are closed to others (/root) show just what is
# needed: then the user can run this Python and read this checkout, and nothing on the machine has to change.
BECOME = """
set -e
for path in {open}; do
    top=/$(echo "$path" | cut -d/ -f2)
    if ! setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all test -r "$path"; then
        keep=$(mktemp -d)
        mount --bind "$path" "$keep"
        mount -t tmpfs -o mode=755 tmpfs "$top"
        mkdir -p "$path"
        mount --bind "$keep" "$path"
    fi
done
cd {root}
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="this test becomes another user, which only root can")
@pytest.mark.skipif(not (shutil.which("setpriv") and shutil.which("unshare")), reason="util-linux is not installed")
def test_everything_holds_for_an_ordinary_user_too(tmp_path):
    """The same tests again, as a user without any privilege."""
    home = Path(tempfile.mkdtemp(prefix="unrolled-user-"))
    os.chown(home, 65534, 65534)
    script = BECOME.format(open=" ".join({sys.base_prefix, sys.prefix, str(course.ROOT)}), root=course.ROOT)
    try:
        done = subprocess.run(
            ["unshare", "--mount", "bash", "-c", script, "bash", sys.executable, "-m", "pytest", "-q", "-x",
             "-p", "no:cacheprovider", "--basetemp", str(home / "t"), "tests/test_sandbox.py", "tests/hostile",
             "-k", "not doctor and not ordinary_user and not without_a_sandbox and not control_group"],
            capture_output=True, text=True, check=False,
            env=os.environ | {"HOME": str(home), "KERAS_HOME": str(home), "MPLCONFIGDIR": str(home),
                              "IPYTHONDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"})
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " skipped" not in done.stdout.splitlines()[-1], done.stdout[-2000:]
