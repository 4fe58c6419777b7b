"""Write docs/simulated-studies.md from the plans' own declarations, so that the page cannot say anything else."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import Field, fields
from datetime import date
from pathlib import Path
from typing import Any

from rewarm.twin.studies import GroupPlan, HeelsPlan, StudyPlan, read_plan
from rewarm.twin.studies.plan import CameraPlan
from rewarm.twin.studies.readme import CAUSES, FRAMES, TABLES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "simulated-studies.md"

HEAD = """\
# Simulated studies

`rewarm simulate PLAN.toml -o STUDY` makes a study folder as a clinic would hand it in, of any size, and beside it in
`STUDY/truth` what is true. Analyses are judged with it: an effect that is not there must not be found, and one that is
there must be found as large, as soon and as long as it is. No analysis reads the truth. The same plan and seed give the
same bytes, on any number of processes; a folder is complete or not there. A simulation that is interrupted keeps its
finished scans beside it, in `.STUDY.part`, and the same command goes on from them; any other starts over.

A plan is a TOML file; every key has a default, and an unknown one is an error. From Python:

```python
from rewarm.twin.studies import read_plan, simulate_measurements

plan = read_plan("examples/plans/is_it_the_season.toml")
study = simulate_measurements(plan, seed=7)  # in memory, no pictures: milliseconds
study.tables["measurements"], study.truth["visits"]
```

## Ready plans

| plan | the question that it poses |
|---|---|
"""

LIFE = """\
## What is in a simulated life

- **Temperature at rest** is a sum of named causes: the person's level, limb and toe; the room; the season; the
  disease's own course (the *flare*); placebo; the day; and the toxin. Untreated skin is no colder than 1.2 °C over the
  room. With a mechanism (`nerve_block`, `direct_dilation`, `sweat_block`), or with recordings, toes follow from
  vessels, heat and sweat instead, and what each cause did is told apart by simulating the same days without it.
- **Season**: a year's wave and weather that lasts for days. Toes follow it up to a comfortable day and no further; the
  condition score follows a published curve that rises again in heat (doi 10.1016/S2665-9913(24)00189-9); attacks fall
  by 48 % for +10.6 °C (PMID 10451070).
- **Regression to the mean**: the flare moves toes and complaints together. With `worst_of_days` people enrol on the
  worst of so many days, and what follows goes back by itself.
- **Placebo** is a response of its own with its own onset, in whoever was injected with anything.
- **Cameras** have a bias within their accuracy (or one that is stated), a drift from session to session, an uneven
  picture and noise. Without pictures the same errors are drawn region by region, and `u` is stated for them as rewarm
  states it.
- **Diaries**: scores with floors and ceilings, counts that are over-dispersed, days that resemble the day before, gaps.
- **Heels**: pain follows load with carry-over; relief may tempt into longer hours, and load may do harm that the toxin
  hides. What would have happened without toxin, or in flats, is simulated with the same chance and stands in the truth.
- **Recordings after cold water**: feet that wander and twitch, a camera that drifts and jumps at its shutter, hands in
  the way.

Where a figure has a published source the key's meaning names it. All others are chosen: that the simulation can make a
cause large does not say that it is.

"""


def page() -> str:
    """The whole page."""
    parts = [HEAD + "".join(_plans()), LIFE, "## Keys of a plan\n\n", _table("At the top", _top())]
    parts += [_table(*section) for section in _sections()]
    parts.append("## What stands in `truth/`\n\n")
    parts += [f"- `{name}.csv`: {' '.join(text.split())}\n" for name, text in TABLES.items()]
    parts.append(f"- `frames/SCAN.csv`: {' '.join(FRAMES.split())}\n")
    parts.append(f"\n{CAUSES}\n")
    return "".join(parts)


def _plans() -> Iterator[str]:
    for path in sorted((ROOT / "examples" / "plans").glob("*.toml")):
        yield f"| [`{path.stem}`](../examples/plans/{path.name}) | {read_plan(path).question} |\n"
    yield "\n"


def _top() -> list[Field[Any]]:
    return [field for field in fields(StudyPlan) if field.metadata]


def _sections() -> Iterator[tuple[str, list[Field[Any]]]]:
    special = {
        "groups": ("[[group]]", GroupPlan),
        "cameras": ("[camera.ID]", CameraPlan),
        "heels": ("[heels]", HeelsPlan),
    }
    for part in fields(StudyPlan):
        if part.metadata:
            continue
        name, cls = special.get(part.name, (f"[{part.name}]", type(part.default)))
        text = " ".join((cls.__doc__ or "").split())
        _, _, meaning = text.partition("``: ")
        yield f"`{name}`: {meaning}", [field for field in fields(cls) if field.name != "id"]


def _table(title: str, declared: list[Field[Any]]) -> str:
    lines = [f"### {title.partition(': ')[0]}\n\n"]
    if meaning := title.partition(": ")[2].replace("``", "`").replace("|", "\\|"):
        lines.append(f"{meaning[0].upper()}{meaning[1:]}\n\n")
    lines.append("| key | meaning | default | allowed |\n|---|---|---|---|\n")
    for field in declared:
        unit = field.metadata.get("unit")
        meaning = field.metadata["meaning"] + (f" ({unit})" if unit else "")
        lines.append(f"| `{field.name}` | {meaning} | {_default(field.default)} | {_allowed(field.metadata)} |\n")
    return "".join([*lines, "\n"])


def _default(value: Any) -> str:
    if value is None or value in ("", ()):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(_plain(item) for item in value)}]`"
    return f"`{_plain(value)}`"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return value.isoformat() if isinstance(value, date) else f"{value:g}"


def _allowed(meta: typing.Mapping[str, Any]) -> str:
    if meta.get("words"):
        return ", ".join(f"`{word}`" for word in meta["words"])
    low, high = meta.get("low", -1e6), meta.get("high", 1e6)
    parts = [f"from {low:g}"] if low > -1e6 else []
    parts += [f"to {high:g}"] if high < 1e6 else []
    return " ".join(parts) or "–"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
