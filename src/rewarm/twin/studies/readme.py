"""The README of a simulated study's truth: what each of its tables holds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pandas as pd

from rewarm.twin.studies.plan import StudyPlan

TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "people": """\
One row a person. `effect_best_c` is the toxin's warming at its best, mean over the injected toes at rest;
`onset_days` is when it first reaches the plan's important difference, and `duration_days` how long it stays there
(both empty where it never does); `half_left_days` when a half of it is left; `strength` scales all that the toxin
does to this person. `flare_at_enrolment` is the disease's own course on the day of enrolment, in SD: what is over
0 goes back to 0 by itself, and that is regression to the mean. The `…_level` are the person's own, in winter and
untreated.""",
        "course": """\
Each person's warming by the toxin, week by week since the injections, mean over the injected toes.""",
        "toes": """\
Each toe at each visit: `true_c` is the skin's temperature at rest, and the columns after it say what it is made
of, in °C over the same toe untreated in a room of 22.5 °C with 3 °C outdoors. `injection_c` is the effect of the
toxin; `placebo_c`, `room_c`, `season_c`, `flare_c` and `day_c` are not. Skin is no colder than 1.2 °C over the
room: `floor_c` is what that added.""",
        "visits": """\
Each person at each visit, mean over the toes with toxin (over all ten, where none got any): the true temperature,
and the change since the first visit with its parts. `change_injection_c` is the effect, `change_true_c` what a
perfect thermometer would have shown.""",
        "scans": """\
What the camera did to each recording: `camera_offset_c` is the error common to the picture, bias and drift
together, `non_uniformity_sd_c` the spread of the error that depends on the place in it, `netd_mk` the noise,
`mm_per_px` the size of a pixel on the skin.""",
        "regions": """\
Each region's true temperature and size, before any camera: `skin_mean_c` over the skin alone, each pixel counted
by the share that the region covers; `scene_mean_c` over the pixels of the label image, whose rim mixes with what
lies behind. `area_px` counts shares of pixels, `n_px` whole ones.""",
        "rewarming": """\
Each toe after cold water: the metrics of the measurements table, of the true curve. Times that were not reached are the
time that it was followed, with 0 in `…_reached`.""",
        "landmarks": """\
Toe tips, webs and heel points. The centre of the first pixel is (0.5, 0.5); x right, y downwards.""",
        "diary": """\
Every day of everybody, written down or not. `…_expected` is the mean of a score or count before the day's own
noise; `…_toxin`, `…_placebo`, `…_season` and `…_flare` are what moved it, in its own points, for attacks in
natural logarithms (but for `attacks_placebo`, which adds). `toxin_course` and `placebo_course` are the share of
the best effect, the person's strength included. With heels, `carried_load` (h·dm) and `harm` stand beside.""",
        "worlds": """\
With heels: what would have happened to the same people with the same chance, over the 28 days before the
injections, and from day 28 to day 55 after them: with the toxin or without, and with flats on `flats_days` of
seven days from the injections on. The row with `toxin` 1 and `flats_days` 0 is what did happen.""",
        "load_and_pain": """\
Each person's own coefficients: pain = `pain_rest` + `pain_per_load` × carried load + `harm_felt` × harm (less
what the toxin hides) + the toxin's own change; load carries over from day to day by `carry_over`; `temptation` is
ln hours gained per 10 points less pain than before.""",
    }
)

FRAMES: Final = """\
Every frame of a recording after cold water, `time_s` since the end of the immersion. `…_shift_x_px`, `…_shift_y_px`
and `…_turn_deg` are how far each foot has moved since the first frame (its turn about the middle of its box);
`camera_offset_c` is bias, drift and the jumps at `shutter` events together; `covered` frames have a hand in front,
`defocused` ones are blurred.
`drive` is the sympathetic drive before any block; of each toe `…_c` is the true temperature of what is seen of it,
and `…_flow_ml_100ml_min`, `…_tone` (1 is shut) and `…_sweat_w_m2` are what made it. Label image, regions and
landmarks are those of the first frame."""

CAUSES: Final = """\
Toes follow here from vessels, heat and sweat. The causes in `toes.csv` were told apart by simulating the same days
again with one after the other taken away: the treatment, the room's difference from 22.5 °C, the season, the flare.
`day_c` is what is left from day to day. Effects in `people.csv` and `course.csv` are those in a room of 22.5 °C
with 3 °C outdoors."""

_HEAD: Final = """# The truth of this simulated study

Nobody was measured: everything in this study was simulated, and this folder says what is true. No analysis may read it;
it is here to judge one.
"""


def truth_readme(plan: StudyPlan, truth: Mapping[str, pd.DataFrame]) -> str:
    """The page, for the tables that this study has."""
    lines = [_HEAD]
    if plan.question:
        lines.append(f"The question that it poses: *{plan.question}*\n")
    lines.append("`made_by.json` says what made the study, and the seed that makes it again.\n")
    lines += [f"## `{name}.csv`\n\n{TABLES[name]}\n" for name in truth]
    if "regions" in truth:
        lines.append(
            "## `labels/SCAN.tif`\n\nThe true regions as a label image, coded by `legend.json`; 0 is no foot.\n"
        )
    if plan.pictures.kind == "recordings":
        lines.append(f"## `frames/SCAN.csv`\n\n{FRAMES}\n")
    if plan.physiological:
        lines.append(f"## Causes\n\n{CAUSES}\n")
    lines.append(
        f"An effect counts as important here from {plan.important_c:g} °C. The smallest important difference is the "
        "plan's choice, not a published one.\n"
    )
    return "\n".join(lines)
