"""Make sunspots.csv again, byte for byte: python data/sunspots/rebuild.py"""

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

# statsmodels has a wheel for each platform: always the same one is taken, whatever this machine is.
WHEEL = ("statsmodels", "0.15.0", "b67886b66d9c7ca118526accedb5c6de7ffd74c015dc0492ea0b1690192b65da")
PLATFORM = ["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp"]
FOLDER = "statsmodels/datasets/sunspots/"


def wheel() -> bytes:
    name, version, sha256 = WHEEL
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:",
                        *PLATFORM, "-d", folder, f"{name}=={version}"], check=True)
        [path] = Path(folder).iterdir()
        content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{name} {version}: the download is not the expected one; nothing was changed")
    return content


def main():
    archive = wheel()
    rows = fetch.member(archive, FOLDER + "sunspots.csv").decode("ascii").replace("\r\n", "\n").splitlines()[1:]
    pairs = [(int(float(year)), float(number)) for year, number in (row.split(",") for row in rows)]
    lines = ["year,sunspots", *(f"{year},{number:g}" for year, number in pairs)]
    (HERE / "sunspots.csv").write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))
    about = fetch.member(archive, FOLDER + "data.py").decode("utf-8")
    notice = about.split('COPYRIGHT = """')[1].split('"""')[0]
    (HERE / "LICENSE").write_text(f"{notice}\n", encoding="utf-8")
    print(fetch.describe(HERE, "sunspots.csv"))


if __name__ == "__main__":
    main()
