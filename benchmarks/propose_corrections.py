"""Proposed corrections beside what the finder found: overlap with the truth of simulated pairs of visits.

A person corrects all toes, the first two, or the second toe of the first picture as they truly are; rewarm carries them
to the second picture, in which every region has another temperature (at least 2 °C above the room). Beside it stands
what the finder itself found there.

Run: python benchmarks/propose_corrections.py            (about a minute)
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace

import numpy as np

from registration import simulated_pair, thermogram
from rewarm import find_regions
from rewarm.anatomy.corrections import Corrections, apply_corrections
from rewarm.measures import dice
from rewarm.regions import TOES
from rewarm.study import propose_corrections

CASES = {"toe2": ("toe2",), "toe1 and toe2": ("toe1", "toe2"), "all toes": TOES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    pairs = parser.parse_args().pairs
    proposed: dict[str, list[float]] = defaultdict(list)
    found: dict[str, list[float]] = defaultdict(list)
    asked: dict[str, int] = defaultdict(int)
    for seed in range(pairs):
        pair = simulated_pair(seed, above_room_c=2.0)
        first, second = (find_regions(thermogram(picture)) for picture in (pair.before_c, pair.after_c))
        for case, toes in CASES.items():
            drawn = tuple(replace(i, drawn_by="a person") for i in pair.before.items if i.region in toes)
            corrected = apply_corrections(first, Corrections(drawn, {}))
            carried = propose_corrections(corrected, second, scan="first", names=[i.name for i in drawn])
            for item in drawn:
                truth = pair.after.get(item.side, item.region).mask
                own, other = second.get(item.side, item.region), carried.get(item.side, item.region)
                asked[case] += 1
                if own is not None and own.found:
                    found[case].append(dice(own.mask, truth))
                if other is not None:
                    proposed[case].append(dice(other.mask, truth))
    print(f"{pairs} pairs of both soles\n")
    print(
        "| corrected | proposed | Dice, median | Dice, worst tenth | the finder: found | Dice, median | worst tenth |"
    )
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        columns = [case]
        for scores in (proposed[case], found[case]):
            low = np.percentile(scores, 10)
            columns += [f"{len(scores)} of {asked[case]}", f"{np.median(scores):.2f}", f"{low:.2f}"]
        print("| " + " | ".join(columns) + " |")


if __name__ == "__main__":
    main()
