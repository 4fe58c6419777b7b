"""How often the cause of warmer toes is found, on simulated patients that were never used to train or tune.

Run: python benchmarks/mechanism.py [--people 500] [--patients FILE.npz] [-o docs/mechanism.md]. Writes the page with
the confusion matrix, the reliability of the probabilities, what each protocol tells apart and what becomes of it where
vessels are not the twin's. Test seeds 911, and 912 for those other vessels.
"""

from __future__ import annotations

import argparse
import textwrap
from itertools import combinations, pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.mechanism import (
    ALIKE_BELOW,
    FEATURES,
    MECHANISMS,
    OPEN_BELOW,
    RECORDINGS,
    Feature,
    features_of,
    load_model,
    mechanism_probabilities,
    protocols,
)
from training.mechanism import measured, posteriors, usual_u
from training.mechanism_patients import ALSO_DRY, PHYSIOLOGIES, ROOMS_C, draw_patients, load_patients

Floats = NDArray[np.float64]
TEST_SEED: Final = 911
OTHERS_SEED: Final = 912
FULL: Final = ("warm", "cool", "usual", "challenge", "control")
BINS: Final = (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
BOOTSTRAP: Final = 400


def page(values: Floats, truth: NDArray[np.int64], varied: dict[str, tuple[Floats, NDArray[np.int64]]]) -> str:
    """The page as Markdown, from measured features (people, features) and true causes (people,).

    ``varied`` holds the same of patients with other vessels, by what is other.
    """
    model = load_model()
    found = {p: posteriors(model, values, p, model.sharpness["+".join(p)]) for p in protocols()}
    confusion = _confusion(found[FULL], truth)
    every = list(found.values())
    blocks = [
        "# Why are the toes warmer: which mechanism, and how sure",
        _prose(
            f"Written by `python benchmarks/mechanism.py` from {len(truth)} simulated patients (seed {TEST_SEED}) that "
            f"were never used to train or to tune; the classifier was made by `{model.command}`."
        ),
        _about(),
        "## Confusion, all recordings and an untreated foot",
        "Rows are the truth, columns what came out as most probable; all causes alike beforehand.",
        "\n".join(confusion),
        "## Are the probabilities right",
        _prose(
            "Of all causes that were given a probability, how many were the truth (all protocols below, each patient "
            "once for each)."
        ),
        "\n".join(_reliability(every, truth)),
        "The same for each cause alone, all protocols:",
        "\n".join(_by_cause(every, truth)),
        "## What each protocol tells apart",
        _prose(
            "Share right: the most probable cause was the true one (90 % interval by drawing patients again; one in "
            f"five would be chance). Named: a cause had a probability of {OPEN_BELOW:.0%} or more; right of these. "
            "Most alike: the two causes that the protocol tells apart worst, with how often the right one of both is "
            f"found; where that is under {ALIKE_BELOW:.0%} rewarm says that the protocol cannot tell them apart, and "
            "names the recording that would help most: the last column, with how often these two would be told apart "
            "with it (by the patients of tuning). A challenge brings rest in a usual room with it."
        ),
        "\n".join(_protocols(found, truth)),
        "## If real vessels are not like the twin's",
        _prose(
            "The classifier was trained on patients whose vessels vary around the twin's: every patient's main "
            "parameters by factors of their own between 0.7 and 1.3. Here all patients differ from the twin in the "
            "same way (the same people otherwise), and the classifier does not know. All recordings and an untreated "
            "foot. Gap: mean distance between given and true in the bins above (with so few patients a perfect one "
            f"would show about {_chance_gap(varied):.3f}); surprise: mean −log₂ of the probability that the true cause "
            "was given, in bits (2.3 is knowing nothing)."
        ),
        "\n".join(_other_vessels(varied)),
        "## Patients in words",
        "\n".join(_example(values, truth)),
    ]
    return "\n\n".join(blocks) + "\n"


def _prose(text: str, *, indent: str = "") -> str:
    return textwrap.fill(text, 120, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _about() -> str:
    rooms = ", ".join(f"{name} {room:g} °C" for name, room in ROOMS_C.items())
    made = (
        "The causes are those of `rewarm.effects.mechanism`. Patients come from the twin's primary Raynaud's and "
        "systemic sclerosis, seen before and after; five toes of one foot are treated. "
        f"Rooms: {rooms} (SD 0.7 °C between places and again between days). {ALSO_DRY:.0%} of patients with "
        "blocked nerves or dilated vessels have lost sweating as well. *Environment only* is a room 1.5 to 4 °C "
        "warmer, or 8 to 18 °C more outdoors, or both. People come when they are worse than usual, so that *none* gets "
        "warmer too. A camera is off by 0.5 °C (SD) a session and 0.1 °C a region, the room is read to 0.3 °C."
    )
    limits = (
        "**What this can and cannot say.** It says which cause is most like what was seen, if the simulated feet are "
        "like real ones and the cause is one of these. No patient's mechanism is known, so none of this could be "
        "checked on people. Two mechanisms at once (but for lost sweating), or another drug, are not among the causes: "
        "strong warming of an unknown kind is still given to one of them. Only rest in 18 to 29.5 °C and challenges "
        "between 20.5 and 25.5 °C are used, because the simulated patients were seen there."
    )
    return _prose(made) + "\n\n" + _prose(limits)


def _confusion(found: Floats, truth: NDArray[np.int64]) -> list[str]:
    chosen = found.argmax(axis=1)
    lines = ["| truth | " + " | ".join(MECHANISMS) + " | n | right |", "|---|" + "---:|" * (len(MECHANISMS) + 2)]
    for i, cause in enumerate(MECHANISMS):
        counts = np.bincount(chosen[truth == i], minlength=len(MECHANISMS))
        cells = " | ".join(str(count) for count in counts)
        lines.append(f"| {cause} | {cells} | {counts.sum()} | {counts[i] / counts.sum():.0%} |")
    lines += ["", f"Right in all: {np.mean(chosen == truth):.0%}."]
    return lines


def _reliability(found: list[Floats], truth: NDArray[np.int64]) -> list[str]:
    given = np.concatenate([one.ravel() for one in found])
    true = np.concatenate([(np.arange(len(MECHANISMS)) == truth[:, None]).ravel() for _ in found])
    lines = ["| given | mean given | were the truth | n |", "|---|---:|---:|---:|"]
    for low, high in pairwise(BINS):
        some = (given >= low) & ((given < high) | (high == 1.0))
        if some.any():
            lines.append(
                f"| {low:.0%} to {high:.0%} | {given[some].mean():.2f} | {true[some].mean():.2f} | {some.sum()} |"
            )
    return [*lines, "", f"Mean gap between given and true, weighted: {_gap(given, true):.3f}."]


def _gap(given: Floats, true: Floats | NDArray[np.bool_]) -> float:
    """Mean distance between what was given and the share that was true, over BINS, weighted by how many are in each."""
    gap = 0.0
    for low, high in pairwise(BINS):
        some = (given >= low) & ((given < high) | (high == 1.0))
        if some.any():
            gap += float(some.mean() * abs(given[some].mean() - true[some].mean()))
    return gap


def _by_cause(found: list[Floats], truth: NDArray[np.int64]) -> list[str]:
    """A row a cause: in each bin what was given → what was true."""
    lines = ["| cause | " + " | ".join(f"{low:.0%} to {high:.0%}" for low, high in pairwise(BINS)) + " | gap |",
             "|---|" + "---:|" * len(BINS)]  # fmt: skip
    for i, cause in enumerate(MECHANISMS):
        given = np.concatenate([one[:, i] for one in found])
        true = np.concatenate([truth == i for _ in found])
        cells = []
        for low, high in pairwise(BINS):
            some = (given >= low) & ((given < high) | (high == 1.0))
            cells.append(f"{given[some].mean():.2f} → {true[some].mean():.2f}" if some.sum() >= 20 else "few")
        lines.append(f"| {cause} | {' | '.join(cells)} | {_gap(given, true):.3f} |")
    return lines


def _full(values: Floats) -> Floats:
    model = load_model()
    return posteriors(model, values, FULL, model.sharpness["+".join(FULL)])


def _other_vessels(varied: dict[str, tuple[Floats, NDArray[np.int64]]]) -> list[str]:
    lines = ["| vessels | right | sure (80 % or more) | right of these | gap | surprise | n |",
             "|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    surprise = {}
    for words, (values, truth) in varied.items():
        found = _full(values)
        right = found.argmax(axis=1) == truth
        sure = found.max(axis=1) >= OPEN_BELOW
        true = np.arange(len(MECHANISMS)) == truth[:, None]
        surprise[words] = bits = float(-np.log2(np.maximum(found[true], 1e-12)).mean())
        lines.append(
            f"| {words} | {right.mean():.0%} | {sure.mean():.0%} | {right[sure].mean():.0%} | "
            f"{_gap(found.ravel(), true.ravel()):.3f} | {bits:.2f} | {len(truth)} |"
        )
    first, *others = surprise
    worst = max(others, key=lambda words: surprise[words])
    said = (
        f"Worst: {worst}, {surprise[worst]:.2f} bits instead of {surprise[first]:.2f}. Where real feet differ like "
        "that, the probabilities are worth less than this page's calibration says, and nothing in the answer shows it."
    )
    return [*lines, "", _prose(said)]


def _chance_gap(varied: dict[str, tuple[Floats, NDArray[np.int64]]]) -> float:
    """The gap that probabilities which are right would show in so many patients."""
    rng, found = np.random.default_rng(2), _full(next(iter(varied.values()))[0])
    gaps = []
    for _ in range(50):
        drawn = (rng.random((len(found), 1)) > found.cumsum(axis=1)[:, :-1]).sum(axis=1)
        gaps.append(_gap(found.ravel(), (np.arange(len(MECHANISMS)) == drawn[:, None]).ravel()))
    return float(np.mean(gaps))


def _protocols(every: dict[tuple[str, ...], Floats], truth: NDArray[np.int64]) -> list[str]:
    rng = np.random.default_rng(1)
    lines = [
        "| recorded | right | 90 % interval | named | right of these | most alike | would help most |",
        "|---|---:|---|---:|---:|---|---|",
    ]
    for protocol, found in every.items():
        right = found.argmax(axis=1) == truth
        again = [right[rng.integers(0, len(right), len(right))].mean() for _ in range(BOOTSTRAP)]
        sure = found.max(axis=1) >= OPEN_BELOW
        low, high = np.quantile(again, [0.05, 0.95])
        named = f"{right[sure].mean():.0%}" if sure.any() else "–"
        pairs = {(a, b): _told(found, truth, a, b) for a, b in combinations(range(len(MECHANISMS)), 2)}
        worst = min(pairs, key=lambda pair: pairs[pair])
        alike = f"{MECHANISMS[worst[0]]} and {MECHANISMS[worst[1]]}, {pairs[worst]:.0%}"
        lines.append(
            f"| {' + '.join(protocol)} | {right.mean():.0%} | {low:.0%} to {high:.0%} | {sure.mean():.0%} | {named} | "
            f"{alike} | {_helps(protocol, worst)} |"
        )
    return lines


def _helps(protocol: tuple[str, ...], pair: tuple[int, int]) -> str:
    """The recording that tells two causes apart most often when added, by the patients with whom it was tuned."""
    told, key = load_model().told_apart, f"{MECHANISMS[pair[0]]}|{MECHANISMS[pair[1]]}"
    more = {}
    for extra in (name for name in RECORDINGS if name not in protocol):
        with_it = {*protocol, extra, *(("usual",) if extra == "challenge" else ())}
        more[extra] = told["+".join(name for name in RECORDINGS if name in with_it)][key]
    best = max(more, key=lambda name: more[name], default="")
    gained = bool(best) and more[best] > told["+".join(protocol)][key] + 0.02
    return f"{best}, {more[best]:.0%}" if gained else "nothing here"


def _told(found: Floats, truth: NDArray[np.int64], a: int, b: int) -> float:
    return float(
        np.concatenate(
            [found[truth == a, a] > found[truth == a, b], found[truth == b, b] > found[truth == b, a]]
        ).mean()
    )


def _example(values: Floats, truth: NDArray[np.int64]) -> list[str]:
    """The first patient of two causes, by what was recorded."""
    u = dict(zip(FEATURES, usual_u(), strict=True))
    lines = []
    for cause in ("nerve_block", "lost_sweating"):
        first = int(np.flatnonzero(truth == MECHANISMS.index(cause))[0])
        value = dict(zip(FEATURES, values[first], strict=True))
        lines += [f"The first simulated patient of the test with {cause}, by what was recorded:", ""]
        for protocol in (("warm",), ("cool", "control"), FULL):
            given = {name: Feature(float(value[name]), float(u[name])) for name in features_of(protocol)}
            said = mechanism_probabilities(given).sentence
            lines.append(_prose(f"- *{' + '.join(protocol)}*: {said}", indent="  "))
        lines.append("")
    words = "; ".join(f"*{name}* is {words}" for name, words in RECORDINGS.items())
    return [*lines, _prose(f"Recordings: {words}.")]


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--patients", type=Path, help="stored patients of the test's seed")
    parser.add_argument("--other-people", type=int, default=60, help="of each physiology that is not the twin's")
    parser.add_argument("--others", type=Path, help="folder of stored patients: 0.npz, 1.npz, … as PHYSIOLOGIES")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/mechanism.md"))
    given = parser.parse_args()
    patients = load_patients(given.patients) if given.patients else draw_patients(TEST_SEED, given.people)
    varied = {}
    for i, (words, physiology) in enumerate(PHYSIOLOGIES.items()):
        stored = given.others / f"{i}.npz" if given.others else None
        some = (
            load_patients(stored) if stored else draw_patients(OTHERS_SEED, given.other_people, physiology=physiology)
        )
        varied[words] = (measured(some, OTHERS_SEED), some.mechanism)
    text = page(measured(patients, TEST_SEED), patients.mechanism, varied)
    given.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
