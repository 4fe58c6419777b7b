"""Write docs/protocol.md from the checks themselves, so that the page cannot say anything else."""

from __future__ import annotations

from pathlib import Path

from rewarm.measures import CHALLENGE_RULES, GROUPS, RULES, TISEM_ITEMS, Rule
from rewarm.measures.change import ROOM_LIMIT_C
from rewarm.measures.comparability import (
    DIGIT_LIMIT,
    EMISSIVITY_LIMIT,
    HUMIDITY_LIMIT_PCT,
    OUTDOOR_LIMIT_C,
    PIXEL_SIZE_LIMIT,
    REFLECTED_LIMIT_C,
    RIM_LIMIT_PX,
    SETTLING_LIMIT_MIN,
    TIME_LIMIT_H,
    TURN_LIMIT_DEG,
)
from rewarm.measures.frames import BLURRED_SHARE

PAGE = Path(__file__).parents[1] / "docs" / "protocol.md"

HEAD = """\
# How the pictures were taken: the checks

Every scan that rewarm measures is judged by the checks below: on what people wrote down (`study.toml`, `visits.csv`,
`participants.csv`), on what the recording's file says, and on its pixels. Each check is *pass*, *warn* (doubtful),
*fail*, or *unknown*; what nobody wrote down and no picture tells is unknown, never a pass. Checks that do not apply are
left out: the shutter in a still picture, a reference where none is in view, a plan where none was made. `checks.csv`
holds them all with what was found; the report shows what was not met, why it matters, and who says so.

The checks are those of TISEM, a consensus of 24 experts on 15 items (Moreira et al. 2017,
[doi:10.1016/j.jtherbio.2017.07.006](https://doi.org/10.1016/j.jtherbio.2017.07.006)), with the figures of a clinical
checklist (Foster, Lloyd and Havenith 2021,
[doi:10.1080/23328940.2021.1899546](https://doi.org/10.1080/23328940.2021.1899546)), and what can be read off the
pixels. Where no source gives a figure, the limit was chosen by rewarm and says so. This page is written by
`scripts/protocol_page.py` from the checks in `rewarm.measures`.
"""

COLUMNS = """\
| check | question | expected | unit | why | source |
|---|---|---|---|---|---|
"""

CHALLENGE = f"""\
## Cold challenge

A recording of rewarming, or the stills of one, is judged by these checks besides. The water and the immersion stand in
`study.toml`, section `[protocol]`; what the recording itself shows is read off its curves.

{COLUMNS}"""

PIXELS = f"""\
## How the pixels are read

- **Focus and motion.** A foot's outer rim is an edge by nature. Along normals to it, where only skin lies inside and
  only background outside, a blurred step with sloping sides is fitted; its width from 10 to 90 % is 2.56 standard
  deviations of the blur. Optics blur alike in all directions, a motion of L pixels adds a variance of L²/12 along its
  own; so both follow from how the width changes round the feet. On simulated soles the width comes out within 18 % of
  the truth for blurs from 1.7 to 7.7 px, and motions of 4 to 10 px within 55 % of their extent and 12° of their
  direction. Feet that differ by less than 0.8 °C from what is around them give no width: unknown.
- **Camera's range.** Temperatures thin out towards the ends of a picture's range; where ten pixels or more share the
  highest (or lowest), over ten times as many as each of the next levels, or the raw counts stand at their end, they
  were clipped. Only the limbs' pixels count.
- **Cut off.** Pixels of the limb on the picture's border; a failure where toes or fingers are among them.
- **Shutter.** The median over all pixels of the difference between successive frames does not answer to feet that
  warm, but jumps with the camera's offset: over 0.05 °C, and over six robust standard deviations of these medians. All
  frames are read, a few at a time.
- **Frames of a recording.** A recording at rest is measured as the mean of its steady frames: the longest stretch
  between two jumps, without frames that are blurred. Blurred is a frame whose steepest steps from pixel to pixel are
  {100 * (1 - BLURRED_SHARE):.0f} % flatter than in the frames around it, and by six robust standard deviations.
- **Viewing angle.** A sole seen at an angle is shorter by its cosine. From breadth over length, which is 0.378 on
  average (ANSUR II, NATICK/TR-15/007) with a spread between people taken as 0.017, two of which count to either side,
  and from the two feet's lengths follows a range that the angle must lie in. It is judged only where the whole range
  agrees, and a stated angle goes first. A tilt along both axes alike does not show.

## What is not asked

Whether the room's temperature was constant *during* a visit (`visits.csv` holds one figure), meals, ointments other
than by `skin_dry`, and medication: no column records them.
"""

COMPARING = f"""\
## Comparing two visits

For each comparison the report lists what differs by more than a limit: reference in view, camera, lens, emissivity
(±{EMISSIVITY_LIMIT:g}), reflected temperature (±{REFLECTED_LIMIT_C:g} °C), pixel on the skin
(±{100 * PIXEL_SIZE_LIMIT:.0f} %), smallest digit (±{100 * DIGIT_LIMIT:.0f} % of its pixels), width of the rim
(±{RIM_LIMIT_PX:g} px), pose (±{TURN_LIMIT_DEG:g}°), room (±{ROOM_LIMIT_C:g} °C), outdoors (±{OUTDOOR_LIMIT_C:g} °C),
humidity (±{HUMIDITY_LIMIT_PCT:g} %), settling (±{SETTLING_LIMIT_MIN:g} min), exercise, smoking and coffee, time of day
(±{TIME_LIMIT_H:g} h). Where the picture is concerned it says what that does in °C; what acts on the person has no such
figure, and is not part of any uncertainty. The limits were chosen by rewarm.
"""


def page() -> str:
    """The whole page as text."""
    parts = [HEAD]
    for group in GROUPS:
        rows = [_row(rule) for rule in RULES.values() if rule.group == group]
        parts.append(f"## {group.capitalize()}\n\n{COLUMNS}" + "\n".join(rows) + "\n")
    parts.append(CHALLENGE + "\n".join(map(_row, CHALLENGE_RULES.values())) + "\n")
    items = [
        f"| {number} | {text} | {', '.join(f'`{rule.id}`' for rule in RULES.values() if number in rule.tisem)} |"
        for number, text in TISEM_ITEMS.items()
    ]
    parts.append(
        "## TISEM's items\n\nIn short words of our own.\n\n| item | about | checks |\n|---|---|---|\n"
        + "\n".join(items)
        + "\n"
    )
    return "\n".join([*parts, PIXELS, COMPARING])


def _row(rule: Rule) -> str:
    return f"| `{rule.id}` | {rule.question} | {rule.expected} | {rule.unit} | {rule.reason} | {rule.source} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
