"""What the checks of how a picture was taken add to a scan: time for one 320 × 240 picture of both soles."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rewarm.anatomy import find_regions
from rewarm.cameras import open_thermogram
from rewarm.measures import Setting, comparability, measure, review_picture
from rewarm.twin import simulate_case_series

LIMIT_MS = 30.0
REPEATS = 15


def timed_ms(work: Callable[[], object]) -> float:
    """The fastest of several, because other programs share the machine."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        study = simulate_case_series(Path(folder) / "study")
        path = sorted((study / "thermograms").iterdir())[0]
        thermogram = open_thermogram(path).load()
        regions = find_regions(thermogram)
    setting = Setting(thermogram, regions, review_picture(thermogram, regions))
    checks = timed_ms(lambda: review_picture(thermogram, regions))
    print(f"review_picture   {checks:6.1f} ms a scan (at most {LIMIT_MS:g}: {'yes' if checks <= LIMIT_MS else 'NO'})")
    print(f"comparability    {timed_ms(lambda: comparability(setting, setting)):6.1f} ms a comparison")
    print(f"measure, beside  {timed_ms(lambda: measure(thermogram, regions)):6.1f} ms a scan")


if __name__ == "__main__":
    main()
