"""How long a user waits before anything happens: `import rewarm` and `rewarm --help`, beside Python's own start.

Run: python benchmarks/startup.py
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

TARGETS_S = {
    "python -c pass (the limit)": None,
    "import rewarm": 0.3,
    "rewarm --help": 0.6,
    "import xarray (a peer)": None,
}
COMMANDS = {
    "python -c pass (the limit)": ["-c", "pass"],
    "import rewarm": ["-c", "import rewarm"],
    "rewarm --help": ["-m", "rewarm.cli", "--help"],
    "import xarray (a peer)": ["-c", "import xarray"],
}


def median_s(arguments: list[str], *, repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])  # the first run may compile bytecode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=11)
    repeats = parser.parse_args().repeats
    print("| what | median s | at most s |\n|---|---|---|")
    for name, arguments in COMMANDS.items():
        target = TARGETS_S[name]
        print(f"| {name} | {median_s(arguments, repeats=repeats):.3f} | {target if target is not None else '–'} |")


if __name__ == "__main__":
    main()
