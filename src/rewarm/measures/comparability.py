"""How alike two visits' pictures were taken: what differs, by how much, and what that does to a change in °C.

The figures in °C come from :mod:`rewarm.measures.uncertainty`. What acts on the person instead of the picture (room,
season, coffee) has no such figure; it is said in words, and none of it is in u.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import sqrt
from typing import Any, Final, Literal

import numpy as np
import xarray as xr

from rewarm.measures.assumptions import DEFAULT_ASSUMPTIONS, Assumptions
from rewarm.measures.budget import Part, u_change_c
from rewarm.measures.change import ROOM_LIMIT_C
from rewarm.measures.protocol import Review
from rewarm.measures.quality import digit_words, limb_masks
from rewarm.measures.regional import pixel_size_mm
from rewarm.measures.uncertainty import picture_parts, region_parts
from rewarm.regions import FINGERS, TOES, Mask, Regions
from rewarm.thermogram import temperature_c

Likeness = Literal["alike", "differs", "unknown"]

EMISSIVITY_LIMIT: Final = 0.005
REFLECTED_LIMIT_C: Final = 2.0
PIXEL_SIZE_LIMIT: Final = 0.2
"""Of a pixel's size on the skin, relative."""
DIGIT_LIMIT: Final = 0.5
"""Of a digit's pixels, relative."""
HUMIDITY_LIMIT_PCT: Final = 15.0
SETTLING_LIMIT_MIN: Final = 10.0
OUTDOOR_LIMIT_C: Final = 5.0
TIME_LIMIT_H: Final = 2.0
TURN_LIMIT_DEG: Final = 15.0
RIM_LIMIT_PX: Final = 1.5


@dataclass(frozen=True, eq=False)
class Setting:
    """One visit's picture (y, x), its regions, its review (:func:`rewarm.measures.review_picture`), and what its
    uncertainty takes for granted.
    """

    thermogram: xr.Dataset
    regions: Regions
    review: Review
    assumptions: Assumptions = DEFAULT_ASSUMPTIONS

    @property
    def attrs(self) -> dict[Any, Any]:
        """The image contract's attributes."""
        return self.thermogram.attrs


@dataclass(frozen=True)
class Difference:
    """One thing about which two visits may differ.

    ``before``, ``after``, ``difference`` and ``limit`` are words with their unit. ``effect`` says what it does to a
    change; ``shift_c`` is by how much it would move a toe's change, and ``u_c`` the standard uncertainty that it stands
    for in the change, °C, where either can be said.
    """

    id: str
    title: str
    likeness: Likeness
    before: str
    after: str
    difference: str
    limit: str
    effect: str
    shift_c: float | None = None
    u_c: float | None = None


def comparability(before: Setting, after: Setting) -> tuple[Difference, ...]:
    """Everything that may set two visits' pictures apart, in a fixed order, differing or not.

    Raises :class:`rewarm.errors.InvalidThermogramError` for recordings.
    """
    return (
        _reference(before, after),
        _camera(before, after),
        _lens(before, after),
        _emissivity(before, after),
        _reflected(before, after),
        _pixel_size(before, after),
        _toe_pixels(before, after),
        _sharpness(before, after),
        _pose(before, after),
        _room(before, after),
        _outdoors(before, after),
        _humidity(before, after),
        _settling(before, after),
        _beforehand(before, after),
        _time_of_day(before, after),
    )


def _reference(before: Setting, after: Setting) -> Difference:
    """The shares of u that all regions of a picture have in common, and that do not cancel between visits."""
    tied = [item.attrs.get("reference_u_c") is not None for item in (before, after)]
    first, second = (picture_parts(item.thermogram, assumptions=item.assumptions) for item in (before, after))
    u_c = u_change_c(first, second)
    words = ["yes" if here else "no" for here in tied]
    if all(tied):
        effect = f"ties the visits together: u of {u_c:.2f} °C is left of the cameras' own error"
    else:
        effect = (
            f"the camera's own error stays in every change of a temperature: u {u_c:.2f} °C; it cancels in differences "
            "inside a picture"
        )
    likeness: Likeness = "alike" if all(tied) else "differs"
    return Difference("reference", "reference in view", likeness, words[0], words[1], "", "in both", effect, u_c=u_c)


def _camera(before: Setting, after: Setting) -> Difference:
    def name(item: Setting) -> str:
        words = [str(item.attrs[key]) for key in ("camera_make", "camera_model") if item.attrs.get(key)]
        serial = item.attrs.get("camera_serial")
        return " ".join([*words, f"(serial {serial})"] if serial else words)

    effect = "cameras differ in their offset and in how they see an edge"
    return _same_text("camera", "camera", name(before), name(after), effect)


def _lens(before: Setting, after: Setting) -> Difference:
    names = [str(item.attrs.get("lens") or "") for item in (before, after)]
    return _same_text("lens", "lens", names[0], names[1], "another lens has another calibration and sharpness")


def _emissivity(before: Setting, after: Setting) -> Difference:
    """∂T/∂ε ≈ −(T − Trefl)/ε at a fixed signal (:func:`rewarm.measures.uncertainty.surface_parts`)."""
    first, second = _number(before, "emissivity"), _number(after, "emissivity")
    shift_c = None
    if first is not None and second is not None:
        toe_c, surroundings_c = _toe_c(after), _number(after, "reflected_c")
        if toe_c is not None and surroundings_c is not None and second > 0:
            shift_c = -(toe_c - surroundings_c) / second * (second - first)
    effect = "" if shift_c is None else f"the setting alone moves a toe by {_signed(shift_c)} °C"
    return _figures(
        "emissivity", "emissivity", first, second, limit=EMISSIVITY_LIMIT, unit="", decimals=3,
        effect=effect or "part of a change is the setting's", shift_c=shift_c,
    )  # fmt: skip


def _reflected(before: Setting, after: Setting) -> Difference:
    """∂T/∂Trefl ≈ −(1 − ε)/ε."""
    first, second = _number(before, "reflected_c"), _number(after, "reflected_c")
    emissivity = _number(after, "emissivity")
    shift_c = None
    if first is not None and second is not None and emissivity:
        shift_c = -(1 - emissivity) / emissivity * (second - first)
    effect = "" if shift_c is None else f"moves a toe by {_signed(shift_c)} °C; right if the surroundings differed"
    return _figures(
        "reflected", "reflected temperature", first, second, limit=REFLECTED_LIMIT_C, unit="°C", decimals=1,
        effect=effect or "skin mirrors a little of it", shift_c=shift_c,
    )  # fmt: skip


def _pixel_size(before: Setting, after: Setting) -> Difference:
    sizes = [pixel_size_mm(item.thermogram, item.regions)[0] for item in (before, after)]
    effect = "rims mix with the background by another share"
    if sizes[0] is None or sizes[1] is None:
        words = [_text(size, "mm", 2) for size in sizes]
        return Difference(
            "pixel_size",
            "pixel on the skin",
            "unknown",
            words[0],
            words[1],
            "",
            f"±{100 * PIXEL_SIZE_LIMIT:.0f} %",
            effect,
        )
    relative = sizes[1] / sizes[0] - 1
    return Difference(
        "pixel_size", "pixel on the skin", _likeness(relative, PIXEL_SIZE_LIMIT),
        _text(sizes[0], "mm", 2), _text(sizes[1], "mm", 2), f"{_signed(100 * relative, 0)} %",
        f"±{100 * PIXEL_SIZE_LIMIT:.0f} %", effect,
    )  # fmt: skip


def _toe_pixels(before: Setting, after: Setting) -> Difference:
    """Of the digit that is smallest in either: its pixels, and what its outline, place and noise do to its change."""
    title = "smallest digit"
    limit = f"±{100 * DIGIT_LIMIT:.0f} %"
    common = [
        (item, other)
        for item in before.regions.found
        if item.region in (*TOES, *FINGERS)
        and (other := after.regions.get(item.side, item.region)) is not None
        and other.found
    ]
    if not common:
        return Difference("toe_pixels", title, "unknown", "–", "–", "", limit, "no toe or finger was found in both")
    one, two = min(common, key=lambda pair: min(int(pair[0].mask.sum()), int(pair[1].mask.sum())))
    areas = [int(item.mask.sum()) for item in (one, two)]
    shares = [_own_u_c(item, found.mask) for item, found in ((before, one), (after, two))]
    known = None not in shares
    u_c = sqrt(sum(float(share or 0.0) ** 2 for share in shares)) if known else None
    effect = (
        f"outline, place and noise of {digit_words(one)}: u {shares[0]:.2f} °C before, {shares[1]:.2f} °C after"
        if known
        else "too few pixels with a temperature"
    )
    relative = areas[1] / areas[0] - 1
    return Difference(
        "toe_pixels", title, _likeness(relative, DIGIT_LIMIT), f"{areas[0]} px", f"{areas[1]} px",
        f"{_signed(100 * relative, 0)} %", limit, effect, u_c=u_c,
    )  # fmt: skip


def _sharpness(before: Setting, after: Setting) -> Difference:
    first, second = before.review.quality.rim_width_px, after.review.quality.rim_width_px
    effect = "the blurred picture draws toes towards their surroundings"
    return _figures("sharpness", "width of the rim", first, second, limit=RIM_LIMIT_PX, unit="px", effect=effect)


def _pose(before: Setting, after: Setting) -> Difference:
    """How far each limb is turned against before; the largest counts."""
    first, second = _axes_deg(before.regions), _axes_deg(after.regions)
    turns = {side: (second[side] - first[side] + 90.0) % 180.0 - 90.0 for side in first if side in second}
    limit = f"±{TURN_LIMIT_DEG:g}°"
    effect = "the pictures are laid over each other first; what a turn hides or shows at the rim stays"
    if not turns:
        return Difference("pose", "pose", "unknown", "–", "–", "", limit, effect)
    side = max(turns, key=lambda name: abs(turns[name]))
    words = [f"{side} {axes[side]:.0f}°".replace("-", "−") for axes in (first, second)]
    return Difference(
        "pose", "pose", _likeness(turns[side], TURN_LIMIT_DEG),
        words[0], words[1], f"{_signed(turns[side], 0)}°", limit, effect,
    )  # fmt: skip


def _room(before: Setting, after: Setting) -> Difference:
    first, second = (item.review.circumstances.ambient_c for item in (before, after))
    effect = "toes follow the room, by as much or more; not in u"
    return _figures("room", "room", first, second, limit=ROOM_LIMIT_C, unit="°C", effect=effect)


def _outdoors(before: Setting, after: Setting) -> Difference:
    first, second = (item.review.circumstances.outdoor_mean_c for item in (before, after))
    effect = "season and weather act on toes and attacks by themselves; not in u"
    return _figures("outdoors", "outdoors", first, second, limit=OUTDOOR_LIMIT_C, unit="°C", effect=effect)


def _humidity(before: Setting, after: Setting) -> Difference:
    first, second = (item.review.circumstances.humidity_pct for item in (before, after))
    effect = "sweat dries otherwise; not in u"
    return _figures(
        "humidity", "humidity", first, second, limit=HUMIDITY_LIMIT_PCT, unit="%", effect=effect, decimals=0
    )


def _settling(before: Setting, after: Setting) -> Difference:
    first, second = (item.review.circumstances.settling_min for item in (before, after))
    effect = "feet that settled less long are still on their way to the room; not in u"
    return _figures(
        "settling", "settling", first, second, limit=SETTLING_LIMIT_MIN, unit="min", effect=effect, decimals=0
    )


def _beforehand(before: Setting, after: Setting) -> Difference:
    """Exercise, smoking, caffeine."""
    names = ("exercise", "smoking", "caffeine")
    values = [[getattr(item.review.circumstances, name) for name in names] for item in (before, after)]

    def words(here: list[bool | None]) -> str:
        if all(value is None for value in here):
            return "–"
        done = [name for name, value in zip(names, here, strict=True) if value]
        return ", ".join(done) or "none"

    effect = "each of them warms or cools toes for hours; not in u"
    likeness: Likeness = "alike"
    if any(value is None for here in values for value in here):
        likeness = "unknown"
    if any(a is not None and b is not None and a != b for a, b in zip(*values, strict=True)):
        likeness = "differs"
    return Difference(
        "beforehand", "exercise, smoking, coffee", likeness, words(values[0]), words(values[1]), "", "the same", effect
    )


def _time_of_day(before: Setting, after: Setting) -> Difference:
    """By the cameras' clocks; round midnight the short way."""
    hours = [_hour(item.attrs.get("acquired_at")) for item in (before, after)]
    effect = "skin follows the day's rhythm; not in u"
    words = ["–" if hour is None else f"{int(hour):02d}:{int(hour % 1 * 60):02d}" for hour in hours]
    limit = f"±{TIME_LIMIT_H:g} h"
    if hours[0] is None or hours[1] is None:
        return Difference("time_of_day", "time of day", "unknown", words[0], words[1], "", limit, effect)
    apart = (hours[1] - hours[0] + 12.0) % 24.0 - 12.0
    return Difference(
        "time_of_day",
        "time of day",
        _likeness(apart, TIME_LIMIT_H),
        words[0],
        words[1],
        f"{_signed(apart, 1)} h",
        limit,
        effect,
    )


def _same_text(name: str, title: str, before: str, after: str, effect: str) -> Difference:
    likeness: Likeness = "unknown" if not before or not after else "alike" if before == after else "differs"
    return Difference(name, title, likeness, before or "–", after or "–", "", "the same", effect)


def _figures(
    name: str,
    title: str,
    before: float | None,
    after: float | None,
    *,
    limit: float,
    unit: str,
    effect: str,
    decimals: int = 1,
    shift_c: float | None = None,
) -> Difference:
    allowed = f"±{limit:g} {unit}".strip()
    shown = _text(before, unit, decimals), _text(after, unit, decimals)
    if before is None or after is None:
        return Difference(name, title, "unknown", shown[0], shown[1], "", allowed, effect)
    change = after - before
    difference = f"{_signed(change, decimals)} {unit}".strip()
    likeness = _likeness(change, limit)
    return Difference(name, title, likeness, shown[0], shown[1], difference, allowed, effect, shift_c=shift_c)


def _likeness(change: float, limit: float) -> Likeness:
    return "differs" if abs(change) > limit + 1e-9 else "alike"


def _text(value: float | None, unit: str, decimals: int) -> str:
    if value is None:
        return "–"
    shown = f"{value:.{decimals}f}"
    return f"{shown if float(shown) else shown.lstrip('-')} {unit}".strip().replace("-", "−")


def _signed(value: float, decimals: int = 2) -> str:
    text = f"{value:+.{decimals}f}"
    return (text if float(text) else f"{0:.{decimals}f}").replace("-", "−")


def _number(item: Setting, key: str) -> float | None:
    value = item.attrs.get(key)
    return None if value is None or value != value else float(value)


def _toe_c(item: Setting) -> float | None:
    """Mean over the digits found, else over the limbs."""
    masks: list[Mask] = [region.mask for region in item.regions.found if region.region in (*TOES, *FINGERS)]
    masks = masks or list(limb_masks(item.regions).values())
    if not masks:
        return None
    values = temperature_c(item.thermogram)[np.any(masks, axis=0)]
    values = values[np.isfinite(values)]
    return float(values.mean(dtype=np.float64)) if values.size else None


def _own_u_c(item: Setting, mask: Mask) -> float | None:
    """u of what belongs to a region alone: its outline, its place, its pixels."""
    if not np.isfinite(temperature_c(item.thermogram)[mask]).any():
        return None
    parts = region_parts(item.thermogram, mask, assumptions=item.assumptions)
    own: list[Part] = [part for part in parts if part.scope in ("region", "pixel")]
    return sqrt(sum(part.u_c**2 for part in own))


def _axes_deg(regions: Regions) -> dict[str, float]:
    """Direction of each limb's long axis, degrees clockwise from upright, −90 to 90."""
    axes: dict[str, float] = {}
    for side, mask in limb_masks(regions).items():
        y, x = np.nonzero(mask)
        if y.size < 2:
            continue
        _, vectors = np.linalg.eigh(np.cov(np.stack([x, y]).astype(np.float64)))
        dx, dy = vectors[:, 1]
        angle = float(np.degrees(np.arctan2(dx, -dy)))
        axes[side] = (angle + 90.0) % 180.0 - 90.0
    return axes


def _hour(text: object) -> float | None:
    """Hours since midnight of an ISO 8601 time."""
    if not text or "T" not in str(text):
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.hour + moment.minute / 60.0
