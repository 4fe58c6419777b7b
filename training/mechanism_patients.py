"""Simulated patients whose cause of warmer toes is known, for the classifier of mechanisms and for its test.

Run: python -m training.mechanism_patients --people 500 --seed 101 -o FILE.npz [--physiology NAME]. Each patient is
seen on two days, before and after; each day at rest in a warm and in a cool room, and through a cold challenge in a
usual room, whose baseline is a third rest. All toes of the left foot are treated, the right foot is the control. What
is kept is what a camera would give without its errors; the errors are drawn where features are made.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rewarm.effects.mechanism import MECHANISMS
from rewarm.twin.challenge import Block, Challenge, DigitCourses
from rewarm.twin.groups import Vessels, draw_people
from rewarm.twin.vessels import simulate_digits

Floats = NDArray[np.float64]

GROUPS: Final = ("primary_raynaud", "systemic_sclerosis")
ROOMS_C: Final = {"warm": 27.5, "cool": 20.0, "usual": 23.2}
ROOM_SD_C: Final = 0.7
"""Within a person, from day to day."""
ROOM_OF_PERSON_SD_C: Final = 0.7
"""Of a place, the same on both days: rooms that count as warm, cool and usual are bands."""
ROOM_RISE_C: Final = (1.5, 4.0)
OUTDOOR_SD_C: Final = 4.0
OUTDOOR_RISE_C: Final = (8.0, 18.0)
DRIVE_PER_OUTDOOR_C: Final = -0.006
"""As in the twin's studies."""
FLARE: Final = (0.05, 0.08)
"""Extra drive on the first day, mean and SD: people come when they are worse than usual."""
NERVE_BLOCK: Final = (0.5, 0.95)
DILATION: Final = (0.15, 0.45)
SWEAT_BLOCK: Final = (0.6, 1.0)
ALSO_DRY: Final = 0.5
"""Share of nerve-blocked and of dilated patients who have lost sweating too: toxin does that as well."""
TOE_SD: Final = 0.15
CHALLENGE: Final = Challenge(follow_s=600.0)
_AT_REST: Final = Challenge(immersion_s=0.0, baseline_s=5.0, follow_s=0.0)
_STEP_S: Final = 5.0
_LINE_S: Final = 60.0
_TWO_MINUTES_S: Final = 120.0


@dataclass(frozen=True, eq=False)
class Patients:
    """Without errors of measurement; arrays (people, 2 days, 2 sides), treated side first, but for those named.

    ``mechanism`` (people,) indexes MECHANISMS; ``room_c`` (people, 2 days, 3 recordings: warm, cool, usual);
    ``outdoor_c`` (people, 2). ``warm_c``, ``cool_c`` and ``usual_c`` (before the challenge) are the toes' mean at rest,
    ``…_dorsum_c`` the foot's back. The challenge's figures are those of :mod:`rewarm.measures.rewarming`, mean of the
    toes.
    """

    mechanism: NDArray[np.int64]
    room_c: Floats
    outdoor_c: Floats
    warm_c: Floats
    warm_dorsum_c: Floats
    cool_c: Floats
    cool_dorsum_c: Floats
    usual_c: Floats
    usual_dorsum_c: Floats
    t0: Floats
    tmin: Floats
    lag: Floats
    max_gradient: Floats
    gradient_2min: Floats
    recovery_10min: Floats


@dataclass(frozen=True)
class Physiology:
    """Vessels other than the twin's: factors of fields of :class:`rewarm.twin.groups.Vessels`, and of direct dilation.

    ``each`` draws for every patient and every field of VARIED a factor of its own, uniform within 1 ± ``each``.
    """

    factors: Mapping[str, float] = field(default_factory=dict)
    dilation: float = 1.0
    each: float = 0.0


AS_THE_TWIN: Final = Physiology()
WIDE: Final = Physiology(each=0.3)
"""For training: the twin's middles are chosen, so a classifier must not lean on them to the last digit."""
VARIED: Final = (
    "most_flow",
    "drive",
    "reflex",
    "sensitisation",
    "local_cold",
    "gain_per_c",
    "most_dilation",
    "sweat_w_m2",
)


_COLD: Final = ("reflex", "sensitisation", "local_cold")
_LOOP: Final = ("gain_per_c", "most_dilation")
PHYSIOLOGIES: Final[Mapping[str, Physiology]] = MappingProxyType(
    {
        "as the twin": AS_THE_TWIN,
        **{
            f"{words}, {100 * (factor - 1):+.0f} %": Physiology(MappingProxyType(dict.fromkeys(names, factor)))
            for words, names in (
                ("most flow", ("most_flow",)),
                ("sympathetic drive", ("drive",)),
                ("answer to cold", _COLD),
                ("feedback that opens", _LOOP),
                ("sweat", ("sweat_w_m2",)),
            )
            for factor in (0.7, 1.3)
        },
        "direct dilation half as strong": Physiology(dilation=0.5),
        "direct dilation half as strong again": Physiology(dilation=1.5),
        "every patient by other factors, 0.7 to 1.3": WIDE,
    }
)
"""Other feet than the twin's, to see what a wrong assumption costs; drawn with the same seed, the same people."""


def draw_patients(seed: int, people: int, *, at_once: int = 50, physiology: Physiology = AS_THE_TWIN) -> Patients:
    """Draw so many patients, the mechanisms in equal parts; the same seed gives the same patients."""
    parts = []
    for first in range(0, people, at_once):
        count = min(at_once, people - first)
        rng = np.random.default_rng((seed, first))
        parts.append(
            _draw(rng, (first + np.arange(count)) % len(MECHANISMS), GROUPS[first // at_once % len(GROUPS)], physiology)
        )
    return joined(parts)


def joined(parts: list[Patients]) -> Patients:
    """Several sets as one."""
    return Patients(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Patients)))


def load_patients(path: Path) -> Patients:
    """What :func:`save_patients` wrote."""
    with np.load(path) as stored:
        return Patients(*(stored[f.name] for f in fields(Patients)))


def save_patients(patients: Patients, path: Path) -> None:
    """To one NumPy archive."""
    arrays: dict[str, Any] = {f.name: getattr(patients, f.name) for f in fields(Patients)}
    np.savez_compressed(path, **arrays)


def _draw(rng: np.random.Generator, mechanism: NDArray[np.int64], group: str, physiology: Physiology) -> Patients:
    people = mechanism.size
    feet = _changed(rng, draw_people(rng, group, people, visits=2).feet, physiology)
    is_a = [mechanism == i for i in range(len(MECHANISMS))]
    environment = is_a[MECHANISMS.index("environment_only")]
    rooms = np.array(list(ROOMS_C.values())) + ROOM_SD_C * rng.normal(size=(people, 2, 3))
    rooms += ROOM_OF_PERSON_SD_C * rng.normal(size=(people, 1, 3))
    outdoor = OUTDOOR_SD_C / np.sqrt(2) * rng.normal(size=(people, 2))
    what = rng.integers(0, 3, people)  # a warmer room, a warmer season, or both
    rooms[:, 1] += (environment & (what != 1))[:, None] * rng.uniform(*ROOM_RISE_C, people)[:, None]
    outdoor[:, 1] += (environment & (what != 0)) * rng.uniform(*OUTDOOR_RISE_C, people)
    drive = DRIVE_PER_OUTDOOR_C * outdoor + FLARE[1] * rng.normal(size=(people, 2))
    drive[:, 0] += FLARE[0]
    block = _block(rng, mechanism, physiology.dilation)
    both_rooms = np.concatenate([rooms[:, :, 0], rooms[:, :, 1]], axis=1)
    rest = simulate_digits(
        rng, _days(feet, [0, 1, 0, 1]), _AT_REST, room_c=both_rooms, extra_drive=np.tile(drive, 2),
        block=_block_days(block, [0, 1, 0, 1]), step_s=_STEP_S,
    )  # fmt: skip
    cold = simulate_digits(rng, feet, CHALLENGE, room_c=rooms[:, :, 2], extra_drive=drive, block=block, step_s=_STEP_S)
    toes, dorsum = rest.skin_c[-1].mean(axis=-1).astype(float), rest.dorsum_c[-1].astype(float)
    before = cold.time_s < 0
    usual, usual_dorsum = (
        values[before].astype(float).mean(axis=0) for values in (cold.skin_c.mean(axis=-1), cold.dorsum_c)
    )
    return Patients(
        mechanism, rooms, outdoor, toes[:, :2], dorsum[:, :2], toes[:, 2:], dorsum[:, 2:], usual, usual_dorsum,
        **challenge_figures(cold),
    )  # fmt: skip


def _changed(rng: np.random.Generator, vessels: Vessels, physiology: Physiology) -> Vessels:
    factors: dict[str, Floats | float] = dict(physiology.factors)
    if physiology.each > 0:
        shape = (vessels.shape[0], 1, 1, 1)
        span = (1 - physiology.each, 1 + physiology.each)
        factors |= {name: factors.get(name, 1.0) * rng.uniform(*span, shape) for name in VARIED}
    return replace(vessels, **{name: getattr(vessels, name) * factor for name, factor in factors.items()})


def _block(rng: np.random.Generator, mechanism: NDArray[np.int64], dilation: float) -> Block:
    """On the second day, in the left foot alone, arrays (people, 2, 2, 5)."""
    people = mechanism.size
    toes = np.clip(1 + TOE_SD * rng.normal(size=(people, 2, 2, 5)), 0, None)
    here = np.zeros((1, 2, 2, 1))
    here[:, 1, 0] = 1.0

    def of(name: str, span: tuple[float, float], *, also: NDArray[np.bool_] | None = None) -> Floats:
        who = mechanism == MECHANISMS.index(name)
        who = who if also is None else who | also
        most = rng.uniform(*span, people) * who
        return np.asarray(np.clip(most[:, None, None, None] * toes * here, 0, 1))

    toxin = np.isin(mechanism, [MECHANISMS.index(name) for name in ("nerve_block", "direct_dilation")])
    dry = toxin & (rng.random(people) < ALSO_DRY)
    return Block(
        of("nerve_block", NERVE_BLOCK),
        of("direct_dilation", (dilation * DILATION[0], dilation * DILATION[1])),
        of("lost_sweating", SWEAT_BLOCK, also=dry),
    )


def _days(vessels: Vessels, days: list[int]) -> Vessels:
    return replace(vessels, **{f.name: getattr(vessels, f.name)[:, days] for f in fields(vessels) if f.name != "limb"})


def _block_days(block: Block, days: list[int]) -> Block:
    return Block(*(getattr(block, f.name)[:, days] for f in fields(Block)))


def challenge_figures(courses: DigitCourses) -> dict[str, Floats]:
    """Figures of a cold challenge, each (people, days, sides), mean of the five toes; all toes at once."""
    before, after = courses.time_s < 0, courses.time_s >= 0
    time_s = courses.time_s[after]
    curve = courses.skin_c[after].astype(float)
    tpre = courses.skin_c[before].astype(float).mean(axis=0)
    tmin = curve.min(axis=0)
    slopes, middles, levels = _lines(time_s, curve)
    best = slopes.argmax(axis=0)[None]
    slope = np.take_along_axis(slopes, best, 0)[0]
    level = np.take_along_axis(levels, best, 0)[0]
    risen = curve.max(axis=0) - tmin >= 0.5
    lag = np.where(risen, middles[best[0]] - (level - tmin) / np.maximum(slope, 1e-9), time_s[-1])
    early = time_s <= _TWO_MINUTES_S
    centred = time_s[early] - time_s[early].mean()
    first = np.tensordot(centred / (centred @ centred), curve[early], 1)
    at_10 = curve[int(np.abs(time_s - 600.0).argmin())]
    figures = {
        "t0": curve[0],
        "tmin": tmin,
        "lag": np.clip(lag, 0.0, time_s[-1]),
        "max_gradient": 60.0 * slope,
        "gradient_2min": 60.0 * first,
        "recovery_10min": 100.0 * (at_10 - tmin) / np.maximum(tpre - tmin, 1.0),
    }
    return {name: values.mean(axis=-1) for name, values in figures.items()}


def _lines(time_s: Floats, curve: Floats) -> tuple[Floats, Floats, Floats]:
    """Straight lines through every 60 s: slopes (lines, …), °C/s, middles (lines,), s, levels (lines, …), °C."""
    width = round(_LINE_S / (time_s[1] - time_s[0])) + 1
    starts = range(time_s.size - width + 1)
    centred = time_s[:width] - time_s[:width].mean()
    weights = centred / (centred @ centred)
    slopes = np.stack([np.tensordot(weights, curve[i : i + width], 1) for i in starts])
    levels = np.stack([curve[i : i + width].mean(axis=0) for i in starts])
    return slopes, np.array([time_s[i : i + width].mean() for i in starts]), levels


def main() -> None:
    """Draw patients and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--physiology", choices=list(PHYSIOLOGIES), default="as the twin")
    given = parser.parse_args()
    save_patients(draw_patients(given.seed, given.people, physiology=PHYSIOLOGIES[given.physiology]), given.output)
    print(f"{given.output}: {given.people} patients, seed {given.seed}, {given.physiology}")


if __name__ == "__main__":
    main()
