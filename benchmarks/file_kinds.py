"""Which kinds of files open, and how far from the maker's figure: rewarm beside flyr, flirpy and exiftool.

python benchmarks/file_kinds.py [FOLDER] [--flirpy PYTHON]

FOLDER holds the real recordings. flirpy is not one of rewarm's dependencies: PYTHON is an interpreter that has it;
without one its column says "not tried", and so does exiftool's where no such program is on the path. Text is left out
for the peers, who do not claim to read it. A maker's figure is: FLIR Tools' export of every pixel; the extremes that an
open InfraTec reader's own test states; the published means of a data set's feet. Where there is none, a peer's first
frame is held against rewarm's, which says whether they agree, not who is right.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import flyr
import numpy as np
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram
from rewarm.errors import NotRadiometricError, RewarmError

CLIPPED_BELOW_C = -40.0
TEXT = (".csv", ".gz", ".txt")
IRB_KELVIN = {"AA011400.irb": (296.5852, 311.3182)}
FLIRPY = """
import sys, json, numpy as np
from flirpy.io.seq import Seq
found = {}
for number, path in enumerate(sys.argv[2:]):
    try:
        frames = Seq(path)
        first = np.asarray(frames[0].get_radiometric_image(), dtype=float)
        saved = f"{sys.argv[1]}/{number}.npy"
        np.save(saved, first)
        found[path] = [len(frames), saved]
    except Exception as error:
        found[path] = [0, type(error).__name__]
print(json.dumps(found))
"""
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Opened:
    """What a program made of a file: °C of the (first) picture, or how it failed; and the number of frames."""

    celsius: Matrix | None = None
    frames: int = 0
    words: str = ""


def main() -> None:
    """Print a markdown table of kinds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--flirpy", type=Path, default=None, help="an interpreter that has flirpy")
    chosen = parser.parse_args()
    files = [f for f in sorted(chosen.folder.rglob("*")) if f.is_file() and f.suffix != ".md"]
    if not files:
        raise SystemExit(f"no recordings in {chosen.folder}: name the folder")
    pictures = [f for f in files if f.suffix not in TEXT]
    ours = {f: by_rewarm(f) for f in files}
    peers: list[tuple[str, dict[Path, Opened] | None]] = [
        ("flyr", {f: by_flyr(f) for f in pictures}),
        ("flirpy", by_flirpy(chosen.flirpy, pictures)),
        ("exiftool", by_exiftool(pictures)),
    ]
    print("| kind | files | rewarm | " + " | ".join(name for name, _ in peers) + " |")
    print("|---|---|---|---|---|---|")
    kinds: dict[str, list[Path]] = {}
    for file in files:
        kinds.setdefault(kind_of(file, chosen.folder), []).append(file)
    for kind, members in kinds.items():
        cells = [cell(members, ours, ours, chosen.folder)]
        cells += ["not tried" if found is None else cell(members, found, ours, chosen.folder) for _, found in peers]
        print(f"| {kind} | {len(members)} | " + " | ".join(cells) + " |")


def kind_of(file: Path, folder: Path) -> str:
    """Folder and suffix; a table of results is no matrix."""
    if file.name == "published_table.csv":
        return f"{file.parent.name}, table of results (no matrix)"
    suffix = "".join(file.suffixes[-2:]) if file.suffix == ".gz" else file.suffix
    return f"{file.parent.relative_to(folder).as_posix()}, {suffix}"


def cell(members: list[Path], found: dict[Path, Opened], ours: dict[Path, Opened], folder: Path) -> str:
    """How many open, and the largest error; how the others fail."""
    tried = [f for f in members if f in found]
    if not tried:
        return "–"
    opened = [f for f in tried if found[f].celsius is not None]
    parts = [f"{len(opened)} open" if opened else ""]
    frames = sum(found[f].frames for f in opened)
    if frames > len(opened):
        parts.append(f"{frames} frames")
    errors = [error for f in opened if (error := vendor_error(f, found[f], folder)) is not None]
    if errors:
        parts.append(f"{len(errors)} with a figure: at most {max(errors):.1g} °C off")
    elif found is not ours:
        apart = [apart_from(found[f], ours[f]) for f in opened]
        parts += [f"first frame {max(apart):.3g} °C from rewarm's"] if apart else []
    failures = [found[f].words for f in tried if found[f].celsius is None]
    for words in dict.fromkeys(failures):
        parts.append(f"{failures.count(words)} {words}")
    return "; ".join(part for part in parts if part)


def vendor_error(file: Path, opened: Opened, folder: Path) -> float | None:
    """The largest distance to the maker's figure, °C; None where there is none."""
    celsius = opened.celsius
    if celsius is None:
        return None
    export = file.with_suffix(".csv.gz")
    if file.suffix == ".jpg" and export.exists():
        vendor = open_thermogram(export)["temperature"].to_numpy().astype(float)
        if vendor.shape != celsius.shape:
            return float("inf")
        error = np.abs(celsius - vendor)[vendor > CLIPPED_BELOW_C]
        return float("inf") if np.isnan(error).any() else float(error.max())
    if file.name in IRB_KELVIN:
        low, high = IRB_KELVIN[file.name]
        return float(max(abs(np.nanmin(celsius) + 273.15 - low), abs(np.nanmax(celsius) + 273.15 - high)))
    table = folder / "plantar_inaoe" / "published_table.csv"
    subject, side = file.stem[:-2], {"L": "left", "R": "right"}.get(file.stem[-1:])
    if file.parent == table.parent and side and table.exists():
        with table.open(encoding="utf-8", newline="") as stream:
            means = {row["subject"]: float(row[f"{side}_general_C"]) for row in csv.DictReader(stream)}
        return abs(float(np.nanmean(celsius)) - means[subject]) if subject in means else None
    return None


def apart_from(theirs: Opened, ours: Opened) -> float:
    """The largest distance of two first frames, °C; infinite where one is missing or of another size."""
    if theirs.celsius is None or ours.celsius is None or theirs.celsius.shape != ours.celsius.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):
        distance = np.abs(theirs.celsius - ours.celsius)
    return float("inf") if np.isnan(distance).any() else float(distance.max())


def by_rewarm(file: Path) -> Opened:
    try:
        temperature = open_thermogram(file)["temperature"]
    except NotRadiometricError:
        return Opened(words="refused: no temperatures in it")
    except RewarmError as error:
        return Opened(words=f"refused ({type(error).__name__})")
    frames = int(temperature.sizes.get("time", 1))
    first = temperature.isel(time=0) if "time" in temperature.dims else temperature
    return Opened(first.to_numpy().astype(float), frames)


def by_flyr(file: Path) -> Opened:
    try:
        return Opened(np.asarray(flyr.unpack(str(file)).celsius, dtype=float), 1)
    except Exception as error:  # a peer's failure is a result of this table, whatever it is called
        return Opened(words=f"fail ({type(error).__name__})")


def by_flirpy(python: Path | None, files: list[Path]) -> dict[Path, Opened] | None:
    if python is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = [str(python), "-W", "ignore", "-c", FLIRPY, folder, *map(str, files)]
        ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
        found = json.loads(ran.stdout.splitlines()[-1])
        return {
            Path(name): Opened(np.load(what), frames) if frames else Opened(words=f"fail ({what})")
            for name, (frames, what) in found.items()
        }


def by_exiftool(files: list[Path]) -> dict[Path, Opened] | None:
    program = shutil.which("exiftool")
    if program is None:
        return None

    found = {}
    for file in files:
        ran = subprocess.run([program, "-b", "-RawThermalImage", str(file)], capture_output=True, check=False)
        found[file] = Opened(words="raw counts of one picture, no °C" if ran.stdout else "nothing thermal")
    return found


def default_folder() -> Path:
    named = os.environ.get("REWARM_REAL_DATA")
    return Path(named) if named else Path(__file__).parents[2] / "shared" / "data"


if __name__ == "__main__":
    main()
