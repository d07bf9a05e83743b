"""Make weights.npz again, byte for byte: python data/g2p_en/rebuild.py

The published float32 arrays of g2p_en's checkpoint, under their own names, rounded to float16.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)


def main() -> None:
    wheel = fetch.pip("g2p-en", "2.1.0", "2a7aabf1fc7f270fcc3349881407988c9245173c2413debbe5432f4a4f31319f")
    arrays = np.load(io.BytesIO(fetch.member(wheel, "g2p_en/checkpoint20.npz")), allow_pickle=False)
    # NumPy's own savez writes the time of day into the archive, so the same arrays would give other bytes.
    with zipfile.ZipFile(HERE / "weights.npz", "w") as archive:
        for name in sorted(arrays.files):
            content = io.BytesIO()
            np.lib.format.write_array(content, arrays[name].astype("float16"), version=(1, 0))
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
