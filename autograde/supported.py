"""Whether TensorFlow can be installed here: asked by ``make setup`` before anything is downloaded.

Nothing but the standard library, in words that any Python 3 understands: it runs before there is an environment, and
with Pythons that are too old for the rest of the course.
"""

import platform
import sys
import sysconfig

OLDEST, NEWEST = (3, 11), (3, 13)  # what TensorFlow 2.21 has wheels for, as pyproject.toml says too
# Its wheels' systems and processors.
WHEELS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")}


def problem(version, system, machine, standard=True, glibc=True):
    """Why the course cannot be installed, in words; empty if it can.

    Parameters
    ----------
    version : Python's, such as ``(3, 12)``.
    system, machine : as `platform.system` and `platform.machine` give them.
    standard : whether it is CPython as most people have it: neither another Python nor the free-threaded one.
    glibc : on Linux, whether programs are linked against glibc (Alpine has musl).
    """
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        return ("this is Python {}.{}; TensorFlow 2.21 runs on Python 3.11, 3.12 and 3.13. Name one of those: "
                "make PYTHON=python3.12 ...".format(*version[:2]))
    if not standard:
        return "TensorFlow has no packages for this kind of Python; take the usual one: make PYTHON=python3.12 ..."
    if (system, machine) == ("Darwin", "x86_64"):
        return ("TensorFlow has had no packages for Macs with an Intel processor since 2.17. Use the course on another "
                "machine, or in Linux on this one (a container or a virtual machine). On a Mac with an Apple processor "
                "this Python runs translated: take a native one, make PYTHON=/opt/homebrew/bin/python3.12 ...")
    if (system, machine) not in WHEELS or not glibc:
        libc = "" if glibc else ", musl"
        return ("TensorFlow has no packages for this machine (" + system + " " + machine + libc + "). It has for Linux "
                "with glibc (x86_64, aarch64), Macs with an Apple processor, and Windows (64-bit Intel or AMD).")
    return ""


def _here():
    standard = platform.python_implementation() == "CPython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    glibc = platform.system() != "Linux" or platform.libc_ver()[0] == "glibc"
    return problem(sys.version_info, platform.system(), platform.machine(), standard, glibc)


if __name__ == "__main__":
    found = _here()
    sys.exit("The course cannot be set up: " + found if found else 0)
