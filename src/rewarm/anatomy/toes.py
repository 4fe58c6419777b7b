"""Splitting the front of a sole into five toes: lobes of its rim, and lines between them that end at webs.

A toe is what lies distal to the line through the webs beside it, between the borders that run from these webs to the
rim. Where the rim's notches and the webs usually lie, and how far they are apart, was measured on twelve of the twin's
drawn soles (:mod:`rewarm.twin`), through the same fit of a pose. How much evidence counts beside that was set on the
development half of the feet in ``tests/real/marks``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.anatomy.lobes import DEPTHS, TILTS_DEG, Lines, Rim, even, front_rim, lines_inwards
from rewarm.anatomy.sole_shape import GREAT_TOE_BASE, LITTLE_TOE_BASE, WEBS, Points, Pose
from rewarm.regions import Mask

Floats = NDArray[np.float64]

_CHORDS: Final = np.array([0.228, 0.080, 0.082, 0.084, 0.135])
"""From the great toe's medial end over the four notches to the little toe's lateral end."""
_CHORD_SD: Final = np.array([0.10, 0.20, 0.20, 0.20, 0.35])
"""Of the chords' logarithms."""
_NOTCHES_U: Final = np.array([-0.050, 0.024, 0.090, 0.150])
_NOTCH_SD: Final = 0.04
"""Where across the foot the notches usually lie, and how much that may vary."""
_BROAD: Final = 0.6
"""Feet that are broader for their length have broader toes: the chords grow with this power of the pose's width."""
_LATERAL_END_SD: Final = 0.035
"""Of where along the foot the little toe's lateral end lies."""
_NOTCH: Final = 1.2
_LINE: Final = 0.8
"""What the rim's bending in counts for a border, and what a line between two toes does."""
_PLAIN: Final = 3.0
"""Evidence of a border that is plainly seen: more hardly counts against where toes usually lie."""
_TILT_SD_DEG: Final = 20.0
_SHALLOW: Final = 0.07
"""Near the rim, so deep, a line between two toes shows on every foot."""
_MEDIAL_DROP: Final = WEBS[0][1] - GREAT_TOE_BASE[1]
"""How much nearer to the heel the great toe's base ends at the medial border than at its web."""
_WEB_SD: Final = 0.03
_TO_WEB: Final = np.array([(-0.002, -0.138), (-0.009, -0.109), (-0.012, -0.083), (-0.013, -0.062)])
"""From a notch to its web."""
_TO_WEB_SD: Final = 0.025
"""How much webs vary along either axis about their usual places: on the sole, and from their notch."""
_ENOUGH: Final = 1.6
"""Evidence at which a line between two toes goes on rather than ends."""
_LINE_GAIN: Final = 0.25
"""Of a line's evidence over one step of depth."""
_STEEP: Final = 2.0
"""What it counts that the temperature changes nowhere faster along a border: cold or warm toes begin at the webs."""
_LEVEL: Final = 1.0
"""Slope, in units of the skin's unevenness, below which it says nothing."""


@dataclass(frozen=True, eq=False)
class ToeSplit:
    """Where the toes are, in even foot coordinates.

    ``webs`` and ``notches`` (4, 2) are the ends of the borders between toes; ``ends`` (2, 2) the medial and the lateral
    end of the line at the toes' bases; ``evidence`` (4,) is 0..1, how clearly each border shows; ``base_evidence``
    0..1; ``bent_in`` counts the borders at which the rim bends in; ``score`` is the split's total.
    """

    webs: Points
    notches: Points
    ends: Points
    evidence: Floats
    base_evidence: float
    bent_in: int
    score: float

    @property
    def line(self) -> Points:
        """The line at the toes' bases, (6, 2): its medial end, the four webs, its lateral end."""
        return np.vstack([self.ends[:1], self.webs, self.ends[1:]])


def split_toes(temperature_c: NDArray[np.float32], mask: Mask, pose: Pose, *, exact: bool = True) -> ToeSplit | None:
    """Find four borders and the line at their bases; None where the silhouette has no front.

    ``exact`` is False for an outline that was found in a scene: it may fray, and the notches' usual places count too.
    """
    rim = front_rim(mask, pose)
    if rim is None:
        return None
    lines = lines_inwards(temperature_c, mask, pose, rim)
    best: tuple[float, NDArray[np.int_], Floats, Floats] | None = None
    for sign in (1.0, -1.0):
        evidence = _evidence(lines, sign)
        column = _column(evidence, rim)
        score, places = _best_places(column, rim, pose.width, exact)
        if best is None or score > best[0]:
            best = (score, places, evidence, column)
    assert best is not None
    score, places, evidence, column = best
    webs, shown = _webs(evidence, lines.slope, rim, places[:4], pose)
    prominence = _prominence(column, places[:4])
    notches = rim.points[places[:4]]
    ends = np.stack([_medial_end(rim, webs[0]), rim.points[places[4]]])
    sure = 1.0 / (1.0 + np.exp(-1.8 * (prominence - 0.7)))
    bent_in = int((_near(rim.concavity, places[:4]) > 0.4).sum())
    return ToeSplit(webs, notches, ends, sure, shown, bent_in, score)


def _evidence(lines: Lines, sign: float) -> Floats:
    """How much each place looks like the border of two toes (n, tilt, depth).

    Lines of the usual sign count most; strong ones of the other sign (an open web that shows the bed) and steps from
    one toe's temperature to the next count too; background most of all.
    """
    strength = sign * lines.strength
    seen = np.minimum(np.maximum(strength, -strength - 1.5) + 0.35 * lines.step, 3.0)
    return np.asarray(np.where(lines.open, 3.5, seen), dtype=np.float64)


def _column(evidence: Floats, rim: Rim) -> Floats:
    """For a border that starts at each point of the rim: its evidence along the best tilt."""
    shallow = evidence[:, :, DEPTHS < _SHALLOW].mean(axis=2)
    best = (shallow - 0.5 * (TILTS_DEG / _TILT_SD_DEG) ** 2).max(axis=1)
    column = _LINE * best + _NOTCH * rim.concavity
    return np.asarray(np.minimum(column, _PLAIN + 0.2 * (column - _PLAIN)))


def _best_places(column: Floats, rim: Rim, width: float, exact: bool) -> tuple[float, NDArray[np.int_]]:
    """Four borders and the lateral end, as indices of the rim, of largest total (dynamic programming)."""
    n = len(column)
    usual = _CHORDS * max(width, 0.8) ** _BROAD
    chord = np.hypot(*np.moveaxis(rim.points[None, :, :] - rim.points[:, None, :], 2, 0))  # (from, to)
    forbidden = np.where(np.arange(n)[None, :] <= np.arange(n)[:, None] + 3, -1e3, 0.0)
    dip = _dip(column)
    home = 0.5 * ((rim.points[:, 0] - width * _NOTCHES_U[:, None]) / _NOTCH_SD) ** 2  # (4, n)
    own = column - (0.0 if exact else 1.0) * home
    scores = own[0] + _width_prior(chord[0], float(usual[0]), float(_CHORD_SD[0]))
    back = np.zeros((5, n), dtype=np.int_)
    end = (
        np.clip(0.5 * rim.concavity, -0.5, 1.0) - 0.5 * ((rim.points[:, 1] - LITTLE_TOE_BASE[1]) / _LATERAL_END_SD) ** 2
    )
    for i in range(1, 5):
        total = scores[:, None] + _width_prior(chord, float(usual[i]), float(_CHORD_SD[i])) + forbidden
        total = total + (dip if i < 4 else 0.0)
        back[i] = np.argmax(total, axis=0)
        scores = total[back[i], np.arange(n)] + (own[i] if i < 4 else end)
    places = np.empty(5, dtype=np.int_)
    places[4] = int(np.argmax(scores))
    for i in (4, 3, 2, 1):
        places[i - 1] = back[i, places[i]]
    return float(scores[places[4]]), places


def _dip(column: Floats) -> Floats:
    """Penalty (from, to) for two borders without a toe in between: the evidence must fall and rise again."""
    n = len(column)
    lowest = np.minimum.accumulate(np.where(np.tri(n, dtype=bool).T, column[None, :], np.inf), axis=1)
    depth = np.minimum(column[:, None], column[None, :]) - lowest
    return np.asarray(-3.0 * np.clip(1.0 - depth, 0.0, 1.0))


def _width_prior(width: Floats, usual: float, spread: float) -> Floats:
    return np.asarray(-0.5 * (np.log(np.maximum(width, 0.005) / usual) / spread) ** 2)


def _prominence(column: Floats, places: NDArray[np.int_]) -> Floats:
    """How far the evidence at each border stands out over the lowest within a toe's breadth on its weaker side."""
    result = []
    for place in places.tolist():
        before, after = column[max(place - 9, 0) : place + 1], column[place : place + 10]
        result.append(float(column[place] - max(before.min(), after.min())))
    return np.array(result)


def _near(values: Floats, places: NDArray[np.int_]) -> Floats:
    return np.array([values[max(place - 2, 0) : place + 3].max() for place in places.tolist()])


def _webs(evidence: Floats, slope: Floats, rim: Rim, places: NDArray[np.int_], pose: Pose) -> tuple[Points, float]:
    """The webs (4, 2), where the lines that begin at the notches end; and 0..1, how clearly they show."""
    tilt = np.radians(TILTS_DEG)[:, None, None]
    usual = even(np.array(WEBS), pose)
    webs, gains = [], []
    for number, place in enumerate(places.tolist()):
        notch, inwards = rim.points[place], rim.inwards[place]
        across = np.array([-inwards[1], inwards[0]])
        candidates = notch + DEPTHS[None, :, None] * (np.cos(tilt) * inwards + np.sin(tilt) * across)
        seen = np.cumsum(_LINE_GAIN * (evidence[place] - _ENOUGH), axis=1)
        prior = -0.5 * (((candidates - usual[number]) / _WEB_SD) ** 2).sum(axis=2)
        prior -= 0.5 * (((candidates - notch - _TO_WEB[number]) / _TO_WEB_SD) ** 2).sum(axis=2)
        steep = slope[place] / max(float(slope[place].max()), _LEVEL)
        total = seen + prior + _STEEP * steep
        best = np.unravel_index(int(np.argmax(total)), total.shape)
        webs.append(candidates[best])
        gains.append(float(evidence[place][best[0], : best[1] + 1].mean()))
    return np.array(webs), float(1.0 / (1.0 + np.exp(-2.0 * (np.mean(gains) - _ENOUGH))))


def _medial_end(rim: Rim, web: Points) -> Points:
    """Where the line across the great toe from its web meets the medial rim: square to the great toe's axis."""
    medial = rim.points[: max(len(rim.points) // 3, 2)]
    return np.asarray(medial[int(np.argmin(np.abs(medial[:, 1] - (web[1] - _MEDIAL_DROP))))])


def toe_labels(split: ToeSplit, foot_points: Points, pose: Pose) -> NDArray[np.int8]:
    """0 for the sole behind the toes, 1..5 for the toes, at (n, 2) foot coordinates of ``pose``."""
    points = even(foot_points, pose)
    across = np.maximum.accumulate(split.line[:, 0]) + 1e-6 * np.arange(6)  # it never turns back
    distal = points[:, 1] > np.interp(points[:, 0], across, split.line[:, 1])
    label = np.ones(len(points), dtype=np.int8)
    for web, notch in zip(split.webs, split.notches, strict=True):
        way, arm = notch - web, points - web
        label += (way[0] * arm[:, 1] - way[1] * arm[:, 0] < 0.0).astype(np.int8)
    return np.where(distal, label, 0).astype(np.int8)
