"""Make weather.csv again, byte for byte: python data/seattle_weather/rebuild.py"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import fetch  # noqa: E402 (it lies in the folder above)

WHEEL = ("vega_datasets", "0.9.0", "3d7c63917be6ca9b154b565f4779a31fedce57b01b5b9d99d8a34a7608062a1d")


def main():
    wheel = fetch.pip(*WHEEL)
    text = fetch.member(wheel, "_data/seattle-weather.csv").decode("ascii").replace("\r\n", "\n")
    # The last column, a word for the weather, is left out: what its words mean changes from year to year.
    lines = [line.rsplit(",", 1)[0].replace("/", "-") for line in text.splitlines()]
    (HERE / "weather.csv").write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))
    (HERE / "LICENSE").write_bytes(fetch.member(wheel, "dist-info/LICENSE"))
    print(fetch.describe(HERE, "weather.csv"))


if __name__ == "__main__":
    main()
