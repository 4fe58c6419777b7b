"""A person's corrections of one scan, proposed for the same person's other visits; never applied without being asked.

A proposal is a file beside the corrections, ``annotations/OTHER.proposed.geojson``, that no analysis reads. Who looks
at it and finds it right renames it to ``OTHER.geojson``; from then on it is a correction like any other, whose author
reads "proposed from SCAN by rewarm VERSION, drawn by NAME".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from rewarm.alignment import align, carried_mask, carried_point
from rewarm.anatomy import Drawing, mask_polygon, read_drawings, with_replaced, write_drawings
from rewarm.errors import InvalidInputError, OutputError
from rewarm.regions import ANGIOSOMES, WHOLE_LIMBS, Region, Regions
from rewarm.study.annotations import PROPOSED, annotation_path
from rewarm.study.folder import load_study
from rewarm.study.plan import Step, study_steps
from rewarm.study.scan import measure_scan
from rewarm.version import __version__

MARGIN_SHARE: Final = 0.15
"""A toe that was missed lies within this share of the foot's length beside what was found."""

LEAST_KEPT: Final = 0.8
"""A region of which the frame, or what a person drew already, takes more than a fifth is not proposed."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """What was proposed for one scan.

    ``path`` is the file that was written, None where there was nothing to propose; ``names`` what it holds;
    ``left_out`` says why other regions, or whole sides, are not in it.
    """

    scan: str
    path: Path | None
    names: tuple[str, ...]
    left_out: tuple[str, ...]


def propose_corrections(
    corrected: Regions, other: Regions, *, scan: str, names: Iterable[str] | None = None, keep: Iterable[str] = ()
) -> Regions:
    """Carry what a person drew on ``corrected`` onto another picture of the same limb: only the proposed regions.

    ``scan`` names the corrected scan. ``names`` are full names (``left_toe1``, ``left_toe1_tip``); without them, every
    region that no finder of rewarm drew is carried, and the landmarks of those regions. Regions and landmarks of
    ``keep`` are left out, and so are the pixels of those regions in ``other``: a person drew them there already.

    Each proposed region keeps the time at which it was drawn; its author is "proposed from SCAN by rewarm VERSION,
    drawn by NAME". Both regions with their corrections take part in the alignment. ``warnings`` tells what could not
    be carried. Raises :class:`InvalidInputError` for other limbs or views, or where nothing was drawn by a person.
    """
    kept = frozenset(keep)
    drawn = [item for item in corrected.found if (item.name in names if names is not None else _by_person(item))]
    wanted = frozenset(names) if names is not None else frozenset(_marks_of(drawn, corrected))
    marks = {name: xy for name, xy in corrected.landmarks.items() if name in wanted and name not in kept}
    if not drawn and not marks:
        raise InvalidInputError(
            f"{scan}: expected regions or landmarks drawn by a person; found none. Draw them in "
            f"annotations/{scan}.geojson first"
        )
    alignment = align(other, corrected, margin_share=MARGIN_SHARE)
    warnings = [f"The {side} side: {reason}." for side, reason in alignment.refused.items()]
    theirs = [item for item in other.found if item.name in kept]
    items: list[Region] = []
    for item in drawn:
        side = alignment.sides.get(item.side)
        if item.name in kept or side is None:
            continue
        mask = carried_mask(item.mask, side, other.shape)
        whole = int(mask.sum())
        if item.region not in ANGIOSOMES and item.region not in WHOLE_LIMBS:
            for region in theirs:
                if region.region not in ANGIOSOMES and region.region not in WHOLE_LIMBS:
                    mask &= ~region.mask
        expected = float(item.mask.sum()) / _area_factor(side.map_x, side.map_y)
        if int(mask.sum()) < LEAST_KEPT * max(whole, expected):
            warnings.append(f"{item.name}: most of it would lie outside the picture, or on what a person drew there.")
            continue
        reason = f"a proposal to look at: the outlines lie {side.residual_mean_px:.1f} px apart after alignment"
        signed = _signature(scan, item.drawn_by)
        items.append(replace(item, mask=mask, drawn_by=signed, reason=reason, replaces=None))
    places = {}
    for name, xy in marks.items():
        side = alignment.sides.get(name.split("_", maxsplit=1)[0])
        place = None if side is None else carried_point(xy, side)
        if place is not None and 0 <= place[0] <= other.shape[1] and 0 <= place[1] <= other.shape[0]:
            places[name] = place
    return Regions(other.shape, other.limb, other.view, tuple(items), places, tuple(warnings))


def proposed_drawings(proposed: Regions, other: Regions, *, scan: str, drawn: Iterable[Drawing]) -> list[Drawing]:
    """Proposed regions and landmarks as drawings, with what of ``other`` each region would replace.

    ``drawn`` are the drawings on the corrected ``scan``: regions carry their own author, landmarks are signed by them.
    """
    drawings = [Drawing(i.side, i.region, mask_polygon(i.mask), i.drawn_by, i.drawn_at) for i in proposed.items]
    for source in drawn:
        if source.is_landmark and source.full_name in proposed.landmarks:
            place = shapely.Point(proposed.landmarks[source.full_name])
            drawings.append(replace(source, geometry=place, author=_signature(scan, source.author), replaces=None))
    return list(with_replaced(drawings, other))


def propose_for_study(folder: str | Path, scan: str, *, output: str | Path | None = None) -> list[Proposal]:
    """Propose the corrections of a study's ``scan`` for every other visit of the same person, limb and view.

    Writes OTHER.proposed.geojson into ``output`` (the study's annotations/ where none is given), never over a file
    that is there; what a person drew on the other scan is left alone. Returns one :class:`Proposal` a scan.

    Raises :class:`InvalidInputError` for an unknown or uncorrected scan, :class:`OutputError` before anything is
    written where one of the files is there already, and what reading and measuring the study raises.
    """
    check = load_study(folder)
    steps = study_steps(check)
    own = _step(steps, scan, str(folder))
    if own.plan.corrections is None:
        raise InvalidInputError(
            f"{scan}: expected corrections in {annotation_path(check.folder, scan)}; found none. Draw them first"
        )
    place = check.folder / "annotations" if output is None else Path(output)
    others = [step for step in steps if step is not own and _alike(step, own)]
    if not others:
        raise InvalidInputError(
            f"{scan}: expected other scans of participant {own.visit.participant!r} of the same limb and view; "
            "found none in scans.csv"
        )
    paths = {step.plan.scan: place / f"{step.plan.scan}.{PROPOSED}.geojson" for step in others}
    there = [str(path) for path in paths.values() if path.exists()]
    if there:
        raise OutputError(
            f"expected no earlier proposal; found {', '.join(there)}. Rename it to SCAN.geojson to use it, delete it, "
            "or name another folder with -o"
        )
    corrected = measure_scan(own.plan).regions
    drawn = read_drawings(own.plan.corrections, shape=corrected.shape, limb=own.plan.limb)
    return [_propose(step, own.plan.scan, corrected, drawn, paths[step.plan.scan]) for step in others]


def _propose(step: Step, scan: str, corrected: Regions, drawn: tuple[Drawing, ...], path: Path) -> Proposal:
    other = measure_scan(step.plan).regions
    theirs: tuple[Drawing, ...] = ()
    if step.plan.corrections is not None:
        theirs = read_drawings(step.plan.corrections, shape=other.shape, limb=step.plan.limb)
    proposed = propose_corrections(
        corrected, other, scan=scan, names=[item.full_name for item in drawn], keep=[item.full_name for item in theirs]
    )
    drawings = proposed_drawings(proposed, other, scan=scan, drawn=drawn)
    own = {item.full_name for item in drawn}
    kept = [f"{item.full_name}: a person drew it there already." for item in theirs if item.full_name in own]
    if not drawings:
        return Proposal(step.plan.scan, None, (), (*proposed.warnings, *kept))
    write_drawings(drawings, path)
    return Proposal(step.plan.scan, path, tuple(item.full_name for item in drawings), (*proposed.warnings, *kept))


def _step(steps: list[Step], scan: str, folder: str) -> Step:
    for step in steps:
        if step.plan.scan == scan:
            return step
    known = ", ".join(step.plan.scan for step in steps[:8])
    raise InvalidInputError(f"{folder}: expected a scan of scans.csv, such as {known}; found {scan!r}")


def _alike(step: Step, own: Step) -> bool:
    return (step.visit.participant, step.plan.limb, step.plan.view) == (
        own.visit.participant,
        own.plan.limb,
        own.plan.view,
    )


def _by_person(item: Region) -> bool:
    """A finder signs as rewarm; a whole limb that holds corrected parts is signed by both and is no one's drawing."""
    return not item.drawn_by.startswith("rewarm")


def _marks_of(drawn: list[Region], regions: Regions) -> list[str]:
    return [name for name in regions.landmarks if any(name.startswith(f"{item.name}_") for item in drawn)]


def _signature(scan: str, author: str) -> str:
    """Who drew it first, also where it has been proposed and accepted before."""
    first = author.rsplit("drawn by ", maxsplit=1)[-1] if author.startswith("proposed from ") else author
    return f"proposed from {scan} by rewarm {__version__}, drawn by {first}"


def _area_factor(map_x: NDArray[np.float32], map_y: NDArray[np.float32]) -> float:
    """How much larger a spot is in the picture that the map leads to (median)."""
    dx = np.diff(map_x, axis=1)[:-1], np.diff(map_y, axis=1)[:-1]
    dy = np.diff(map_x, axis=0)[:, :-1], np.diff(map_y, axis=0)[:, :-1]
    return float(np.median(dx[0] * dy[1] - dx[1] * dy[0]))
