"""Error against FLIR Tools' own per-pixel exports: rewarm beside flyr.

python benchmarks/flir_accuracy.py [FOLDER]

FOLDER holds recordings NAME.jpg and their exports NAME.csv.gz, °C with three decimals (so 0.0005 °C is the least
error that any reader can have). Pixels at or under −40 °C are clipped by the exporter and are left out.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import flyr
import numpy as np
from numpy.typing import NDArray

from rewarm.cameras import open_thermogram

CLIPPED_BELOW_C = -40.0
TOLERANCE_C = 0.001


def main() -> None:
    """Print a markdown table; exit with status 1 where rewarm is further than 0.001 °C from the vendor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    folder = parser.parse_args().folder
    pairs = [(jpeg, jpeg.with_suffix(".csv.gz")) for jpeg in sorted(folder.glob("*.jpg"))]
    pairs = [(jpeg, export) for jpeg, export in pairs if export.exists()]
    if not pairs:
        raise SystemExit(f"no recording with an export beside it in {folder}: name the folder")
    print("| recording | camera | pixels | clipped | rewarm max, °C | rewarm mean, °C | flyr max, °C | flyr mean, °C |")
    print("|---|---|---|---|---|---|---|---|")
    worst = 0.0
    for jpeg, export in pairs:
        thermogram = open_thermogram(jpeg)
        vendor = open_thermogram(export)["temperature"].values.astype(np.float64)
        compared = vendor > CLIPPED_BELOW_C
        error = np.abs(thermogram["temperature"].values - vendor)[compared]
        worst = max(worst, float(error.max()) if np.isfinite(error).all() else np.inf)
        name = jpeg.stem if len(jpeg.stem) <= 32 else jpeg.stem[:31] + "…"
        print(
            f"| {name} | {thermogram.attrs['camera_model']} | {vendor.size} | {int((~compared).sum())} "
            f"| {error.max():.4f} | {error.mean():.4f} | {flyr_error(jpeg, vendor, compared)} |"
        )
    print(f"\n{len(pairs)} recordings; rewarm's largest error {worst:.4f} °C.")
    raise SystemExit(0 if worst <= TOLERANCE_C else 1)


def flyr_error(jpeg: Path, vendor: NDArray[np.float64], compared: NDArray[np.bool_]) -> str:
    """Two cells: maximum and mean error, or how it failed."""
    try:
        celsius = np.asarray(flyr.unpack(str(jpeg)).celsius, dtype=np.float64)
    except Exception as error:  # a peer's failure is a result of this table, whatever it is called
        return f"fails: {type(error).__name__} | "
    if celsius.shape != vendor.shape:
        return f"shape {celsius.shape} | "
    with np.errstate(invalid="ignore"):
        error_c = np.abs(celsius - vendor)[compared]
    if not np.isfinite(error_c).all():
        return f"{int((~np.isfinite(error_c)).sum())} pixels without a number | "
    return f"{error_c.max():.4f} | {error_c.mean():.4f}"


def default_folder() -> Path:
    named = os.environ.get("REWARM_REAL_DATA")
    return (Path(named) if named else Path(__file__).parents[2] / "shared" / "data") / "flir_tools_exports"


if __name__ == "__main__":
    main()
