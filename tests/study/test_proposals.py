"""Corrections are proposed for other visits: signed, never applied unasked, never over a person's file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from rewarm.anatomy import Drawing, Replaced, mask_polygon, read_drawings, write_drawings
from rewarm.errors import InvalidInputError, OutputError
from rewarm.regions import Mask, Region, Regions
from rewarm.study import analyse_study, check_study, propose_corrections, propose_for_study
from rewarm.twin import SolePose, SoleShape, draw_soles
from rewarm.version import __version__

SHAPE = (240, 320)
AT = "2026-03-01T09:30:00+01:00"


def soles(turn_deg: float, *, shift: float = 0.0) -> Regions:
    """Both soles; every region, and the landmarks, known."""
    poses = {"left": SolePose(225 + shift, 215, turn_deg), "right": SolePose(95 + shift, 215, turn_deg)}
    drawn = draw_soles({side: (SoleShape(), pose) for side, pose in poses.items()}, shape=SHAPE, mm_per_px=1.35)
    items = tuple(replace(item, drawn_by="rewarm 0 geometry") for item in drawn.regions.items)
    return replace(drawn.regions, items=items)


def corrected_by(regions: Regions, *names: str, author: str = "Dr A") -> Regions:
    items = (replace(i, drawn_by=author, drawn_at=AT) if i.name in names else i for i in regions.items)
    return replace(regions, items=tuple(items))


def mask_of(regions: Regions, name: str) -> Mask:
    return next(item.mask for item in regions.items if item.name == name)


def dice(one: Mask, other: Mask) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_what_a_person_drew_lands_on_the_other_visit_and_says_whose_it_is() -> None:
    truth = soles(6.0, shift=7.0)
    # the finder saw neither of the two toes at the other visit
    gone = ("left_toe4", "left_toe5")
    empty = np.zeros(SHAPE, dtype=bool)
    lost = tuple(replace(i, mask=empty, confidence=0.1) if i.name in gone else i for i in truth.items)
    feet = truth.get("left", "foot")
    assert feet is not None
    smaller = feet.mask & ~mask_of(truth, gone[0]) & ~mask_of(truth, gone[1])
    other = replace(truth, items=tuple(replace(i, mask=smaller) if i.name == "left_foot" else i for i in lost))
    proposed = propose_corrections(corrected_by(soles(0.0), *gone), other, scan="P1-before")
    assert [item.name for item in proposed.items] == list(gone)
    for item in proposed.items:
        assert dice(item.mask, mask_of(truth, item.name)) > 0.85
        assert item.drawn_by == f"proposed from P1-before by rewarm {__version__}, drawn by Dr A"
        assert item.drawn_at == AT
        assert "a proposal to look at" in item.reason
    assert set(proposed.landmarks) == {"left_toe4_tip", "left_toe5_tip"}
    for name, place in proposed.landmarks.items():
        assert np.hypot(*np.subtract(place, truth.landmarks[name])) < 3.0


def test_the_first_author_stays_the_author() -> None:
    earlier = "proposed from S0 by rewarm 0, drawn by Dr A"
    proposed = propose_corrections(corrected_by(soles(0.0), "left_toe1", author=earlier), soles(3.0), scan="S1")
    assert proposed.items[0].drawn_by == f"proposed from S1 by rewarm {__version__}, drawn by Dr A"


def test_what_a_person_drew_there_is_left_alone() -> None:
    corrected = corrected_by(soles(0.0), "left_toe1", "left_toe2")
    other = corrected_by(soles(0.0), "left_toe2", author="Dr B")
    proposed = propose_corrections(corrected, other, scan="S1", keep=["left_toe2"])
    assert [item.name for item in proposed.items] == ["left_toe1"]
    assert not (proposed.items[0].mask & mask_of(other, "left_toe2")).any()
    assert set(proposed.landmarks) == {"left_toe1_tip", "left_toe2_tip"}


def test_nothing_drawn_is_an_error_that_says_where_to_draw() -> None:
    with pytest.raises(InvalidInputError, match=r"S1: expected regions or landmarks drawn by a person; found none"):
        propose_corrections(soles(0.0), soles(0.0), scan="S1")


def test_a_region_that_would_leave_the_picture_is_named() -> None:
    def moved(item: Region) -> Region:
        mask = np.zeros(SHAPE, dtype=bool)
        mask[:-50] = item.mask[50:]
        return replace(item, mask=mask)

    plain = soles(0.0)
    other = replace(plain, items=tuple(moved(item) for item in plain.items), landmarks={})
    proposed = propose_corrections(corrected_by(plain, "left_toe1", "left_heel"), other, scan="S1")
    assert [item.name for item in proposed.items] == ["left_heel"]
    assert any(warning.startswith("left_toe1: most of it would lie outside") for warning in proposed.warnings)


def draw_on(study: Path) -> list[Drawing]:
    """Dr A's great toe and its tip on the first scan, as found, but drawn."""
    found = analyse_study(study).scans[0].regions
    toe = found.get("left", "toe1")
    assert toe is not None
    drawings = [
        Drawing("left", "toe1", mask_polygon(toe.mask), "Dr A", AT),
        Drawing("left", "toe1_tip", shapely.Point(found.landmarks["left_toe1_tip"]), "Dr A", AT),
    ]
    write_drawings(drawings, study / "annotations" / "P1-before.geojson")
    return drawings


def test_a_study_gets_a_file_that_no_analysis_uses_until_it_is_renamed(study: Path) -> None:
    draw_on(study)
    plain = analyse_study(study)
    (proposal,) = propose_for_study(study, "P1-before")
    assert proposal.scan == "P1-week06"
    assert proposal.names == ("left_toe1", "left_toe1_tip")
    assert proposal.path == study / "annotations" / "P1-week06.proposed.geojson"
    region, tip = read_drawings(proposal.path, shape=(120, 160), limb="feet")
    author = f"proposed from P1-before by rewarm {__version__}, drawn by Dr A"
    assert (region.author, region.drawn_at) == (tip.author, tip.drawn_at) == (author, AT)
    assert region.replaces == Replaced(plain.scans[1].regions.get("left", "toe1").drawn_by)  # type: ignore[union-attr]
    unused = analyse_study(study)
    assert unused.measurements.equals(plain.measurements)
    assert any("It is not used. Rename it" in str(problem) for problem in check_study(study).warnings)
    proposal.path.rename(study / "annotations" / "P1-week06.geojson")
    used = analyse_study(study).scans[1].regions.get("left", "toe1")
    assert used is not None
    assert used.drawn_by == author


def test_no_file_is_overwritten_and_a_persons_own_drawing_is_kept(study: Path) -> None:
    drawn = draw_on(study)
    path = study / "annotations" / "P1-week06.proposed.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"expected no earlier proposal; found .*P1-week06\.proposed\.geojson"):
        propose_for_study(study, "P1-before")
    assert path.read_bytes() == before
    path.unlink()
    theirs = [replace(item, author="Dr B") for item in drawn]
    write_drawings(theirs, study / "annotations" / "P1-week06.geojson")
    (proposal,) = propose_for_study(study, "P1-before", output=study.parent / "looked-at")
    assert proposal.path is None
    assert proposal.left_out == (
        "left_toe1: a person drew it there already.",
        "left_toe1_tip: a person drew it there already.",
    )


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        ("P1-befor", "expected a scan of scans.csv, such as P1-before, P1-week06; found 'P1-befor'"),
        ("P1-week06", r"P1-week06: expected corrections in .*P1-week06\.geojson; found none"),
    ],
)
def test_a_scan_that_is_not_there_or_not_corrected_is_refused(study: Path, scan: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        propose_for_study(study, scan)
