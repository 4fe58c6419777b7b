"""The checks of how thermal pictures of skin should be taken, as data: what is asked, limits, units, why, who says so.

TISEM is a consensus of 24 experts on 15 items to control and to report (Moreira et al. 2017,
doi 10.1016/j.jtherbio.2017.07.006). Most limits in figures are those of a clinical checklist (Foster, Lloyd and
Havenith 2021, doi 10.1080/23328940.2021.1899546, PMC8654479). Where neither gives a figure the limit was chosen here,
and its ``source`` says so. Nothing here judges; :mod:`rewarm.measures.protocol` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Final, Literal

Group = Literal["person and room", "camera", "set-up", "picture"]
GROUPS: Final[tuple[Group, ...]] = ("person and room", "camera", "set-up", "picture")

TISEM: Final = "TISEM, doi:10.1016/j.jtherbio.2017.07.006"
CLINICAL: Final = "clinical checklist, doi:10.1080/23328940.2021.1899546"
BEST_PRACTICE: Final = "doi:10.3390/s23188011"
SKIN: Final = "doi:10.1088/0031-9155/18/5/307"
CHOSEN: Final = "chosen by rewarm"

TISEM_ITEMS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "the person is described",
        2: "what was asked of the person beforehand: smoking, coffee, meals, ointments",
        3: "what else acts on the skin: exercise, massage, treatments",
        4: "room temperature and humidity",
        5: "away from heat sources and draughts",
        6: "camera: maker, model, accuracy",
        7: "time to settle in the room",
        8: "camera switched on beforehand",
        9: "distance, and how much of the picture the region fills",
        10: "camera square to the region",
        11: "emissivity",
        12: "time of day",
        13: "position of the body, region in view",
        14: "skin dry",
        15: "how the pictures were evaluated",
    }
)
"""The consensus' items in short words of our own."""


@dataclass(frozen=True)
class Rule:
    """One check.

    ``expected`` is the limit in words. Where the check rests on one figure in ``unit``, it passes inside ``good``
    (both ends included), is a warning inside ``tolerable``, and fails beyond. ``reason`` says what goes wrong
    otherwise. ``tisem`` are the numbers of the consensus' items that it stands for.
    """

    id: str
    title: str
    group: Group
    question: str
    expected: str
    reason: str
    source: str
    unit: str = ""
    good: tuple[float, float] | None = None
    tolerable: tuple[float, float] | None = None
    tisem: tuple[int, ...] = ()


_PEOPLE_AND_ROOM: Final = (
    Rule(
        "person", "person described", "person and room",
        "Are the person's sex and year of birth recorded?", "both recorded",
        "Skin temperature depends on both, so others cannot judge or pool the figures without them.",
        TISEM, tisem=(1,),
    ),
    Rule(
        "smoking", "smoking beforehand", "person and room",
        "Had the person smoked shortly before?", "no",
        "Nicotine narrows the vessels of toes and fingers.",
        TISEM, tisem=(2,),
    ),
    Rule(
        "caffeine", "coffee or tea beforehand", "person and room",
        "Had the person drunk coffee, tea or cola shortly before?", "no",
        "Caffeine, and the drink's heat, change the flow of blood in the skin.",
        TISEM, tisem=(2,),
    ),
    Rule(
        "exercise", "exercise beforehand", "person and room",
        "Had the person exercised shortly before?", "no",
        "Exercise warms the skin, or cools it by sweat, for longer than a usual rest.",
        TISEM, tisem=(3,),
    ),
    Rule(
        "room", "room temperature", "person and room",
        "Was the room neither cold nor hot?", "18 to 24 °C; a warning up to 2 °C beyond",
        "In the cold vessels close, in the heat skin sweats: either hides what is looked for.",
        f"{CLINICAL}; the 2 °C {CHOSEN}", "°C", (18.0, 24.0), (16.0, 26.0), (4,),
    ),
    Rule(
        "room_as_planned", "room as planned", "person and room",
        "Was the room as the study's protocol plans it?", "within 1 °C of the plan; a warning up to 2 °C",
        "Toes follow the room, so a room that changes looks like an effect.",
        f"{TISEM}; the limits {CHOSEN}", "°C", (-1.0, 1.0), (-2.0, 2.0), (4,),
    ),
    Rule(
        "humidity", "humidity", "person and room",
        "Was the air neither dry nor damp?", "20 to 75 %; a warning up to 10 % beyond",
        "Damp air keeps sweat on the skin, and both cool or warm it.",
        f"{CLINICAL}; the 10 % {CHOSEN}", "%", (20.0, 75.0), (10.0, 85.0), (4,),
    ),
    Rule(
        "draughts", "away from draughts", "person and room",
        "Was the place free of draughts, sunlight and heaters?", "yes (draught_free under [protocol])",
        "Moving air cools toes, and whatever is hot shines into the picture.",
        f"{TISEM}; {CLINICAL}", tisem=(5,),
    ),
    Rule(
        "settling", "settling time", "person and room",
        "Had the person settled in the room with bare skin?", "at least 15 min, better 30; a warning from 10 min",
        "Feet that come from shoes or from the cold need this long to stop changing.",
        f"{TISEM}; the 10 min {CHOSEN}", "min", (15.0, inf), (10.0, inf), (7,),
    ),
    Rule(
        "skin_dry", "skin dry", "person and room",
        "Was the skin dry, without ointment?", "yes (skin_dry under [protocol])",
        "Water on the skin cools it as it dries; dry skin looks warmer without more blood in it.",
        TISEM, tisem=(14,),
    ),
)  # fmt: skip

_CAMERA: Final = (
    Rule(
        "camera", "camera named", "camera",
        "Is it known which camera took the picture?", "its model",
        "Every camera is off by an amount of its own.",
        TISEM, tisem=(6,),
    ),
    Rule(
        "accuracy", "accuracy", "camera",
        "How far may the camera be off as a whole?", "±0.3 °C, or a reference in view; a warning up to ±2 °C",
        "This is the largest part of what limits a temperature, and it does not cancel between visits.",
        f"{CLINICAL}; the 2 °C: usual specification", "°C", (0.0, 0.3), (0.0, 2.0), (6,),
    ),
    Rule(
        "reference", "reference's own accuracy", "camera",
        "How well is the reference in view known?", "better than ±0.3 °C; a warning up to ±0.5 °C",
        "A reference passes its own error on to every temperature.",
        f"{CLINICAL}; the 0.5 °C {CHOSEN}", "°C", (0.0, 0.2999), (0.0, 0.5),
    ),
    Rule(
        "warm_up", "camera warmed up", "camera",
        "Had the camera been in the room, switched on?", "at least 30 min; a warning from 10 min",
        "A camera that still warms up drifts by tenths of a degree and more.",
        f"{CLINICAL}; the 10 min {CHOSEN}", "min", (30.0, inf), (10.0, inf), (8,),
    ),
    Rule(
        "resolution", "pixels of the picture", "camera",
        "Does the camera have enough pixels?", "at least 320 × 240; a warning from 160 × 120",
        "With fewer a toe is a handful of pixels whose rim mixes with what lies behind.",
        f"{CLINICAL}; 160 × 120 {CHOSEN}", "px", (320.0, inf), (160.0, inf),
    ),
    Rule(
        "emissivity", "emissivity", "camera",
        "Were temperatures computed for skin, not with the camera's default?",
        "0.98 ± 0.01; a warning up to 0.05 off",
        "Cameras come set to 0.95 or 1.00; of skin at 32 °C in a room at 23 °C 1.00 costs 0.17 °C.",
        f"{TISEM}; {CLINICAL}; skin: {SKIN}; the 0.05 {CHOSEN}", "1", (0.97, 0.99), (0.93, 1.0), (11,),
    ),
    Rule(
        "reflected", "reflected temperature", "camera",
        "Is the reflected temperature set, and near the room's?", "within 5 °C of the room; a warning up to 15 °C",
        "Skin mirrors 2 % of its surroundings; cameras come set to 20 °C, and some files hold figures that cannot be.",
        f"{TISEM}; the limits {CHOSEN}", "°C", (-5.0, 5.0), (-15.0, 15.0),
    ),
)  # fmt: skip

_SET_UP: Final = (
    Rule(
        "distance", "distance", "set-up",
        "Is the distance known, and can it be true?", "0.2 to 3 m, and feet of 120 to 330 mm by it",
        "It scales every area, and a camera's stored distance is often a default.",
        f"{TISEM}; the limits {CHOSEN}", "m", (0.2, 3.0), (0.1, 5.0), (9,),
    ),
    Rule(
        "pixels_per_toe", "pixels per toe", "set-up",
        "Is every toe or finger large enough in the picture?", "smallest at least 80 px; a warning from 25 px",
        "Of 80 pixels half lie off the rim; below 25 none is free of what lies behind, and noise does not average out.",
        f"{TISEM}; the limits {CHOSEN}", "px", (80.0, inf), (25.0, inf), (9,),
    ),
    Rule(
        "angle", "viewing angle", "set-up",
        "Did the camera look squarely at the skin?", "at most 30°; a warning up to 45°",
        "Skin seen at a slant emits less and its far parts blur; under 30° this costs less than 0.05 °C.",
        f"{TISEM}; 30°: {BEST_PRACTICE}; 45° {CHOSEN}", "°", (0.0, 30.0), (0.0, 45.0), (10,),
    ),
    Rule(
        "time_of_day", "time of day", "set-up",
        "Is it known when the picture was taken?", "date and time",
        "Skin temperature follows the day's rhythm.",
        TISEM, tisem=(12,),
    ),
    Rule(
        "position", "limb and view", "set-up",
        "Are limb and view recorded?", "both",
        "Only like pictures can be compared.",
        TISEM, tisem=(13,),
    ),
)  # fmt: skip

_PICTURE: Final = (
    Rule(
        "evaluation", "regions found", "picture",
        "Was every region found that was looked for?", "all; a warning where some are missing",
        "What was not found is not measured, and averages then rest on fewer regions.",
        TISEM, tisem=(15,),
    ),
    Rule(
        "cut_off", "limb inside the picture", "picture",
        "Is the whole limb in the picture?", "fewer than 3 px on the picture's border",
        "A region that the frame cuts off is measured in part only.",
        f"{TISEM}; the limit {CHOSEN}", "px", (0.0, 2.0), tisem=(13,),
    ),
    Rule(
        "clipping", "camera's range", "picture",
        "Did all temperatures fit the camera's range?", "no pixel of the limb; a warning up to 0.1 %",
        "Beyond its range a camera stores the range's end instead of the temperature.",
        f"the limits {CHOSEN}", "%", (0.0, 0.0), (0.0, 0.1),
    ),
    Rule(
        "focus", "focus", "picture",
        "Is the picture sharp?", "rim at most 4 px wide (10 to 90 %); a warning up to 6 px",
        "Blur mixes cold toes with their surroundings and draws every difference towards zero.",
        f"the limits {CHOSEN}", "px", (0.0, 4.0), (0.0, 6.0),
    ),
    Rule(
        "motion", "motion", "picture",
        "Did nothing move while the picture was taken?", "at most 3 px, or less than the blur; a warning up to 6 px",
        "Motion smears a toe over its neighbours.",
        f"the limits {CHOSEN}", "px", (0.0, 3.0), (0.0, 6.0),
    ),
    Rule(
        "shutter", "shutter jumps", "picture",
        "Did the recording run without the camera re-setting its offset (NUC)?",
        "jumps of at most 0.05 °C; a warning up to 0.2 °C",
        "When the shutter closes all temperatures jump at once, which a rewarming curve would show as an effect.",
        f"the limits {CHOSEN}", "°C", (0.0, 0.05), (0.0, 0.2),
    ),
)  # fmt: skip

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.id: rule for rule in (*_PEOPLE_AND_ROOM, *_CAMERA, *_SET_UP, *_PICTURE)}
)
"""Every check by its id, in the order in which they are shown."""
