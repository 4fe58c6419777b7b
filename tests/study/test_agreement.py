"""Two people mark the same scan: the run says how well they agree, and the analysis uses the first one's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from rewarm.anatomy import Drawing, Replaced, mask_polygon, rasterise, write_drawings
from rewarm.measures import icc_2_1
from rewarm.regions import SIDES, TOES, Regions
from rewarm.study import analyse_study, check_study, run_study
from rewarm.study.annotations import annotation_of
from rewarm.tables import AGREEMENT

SHAPE = (120, 160)


def mark(study: Path, name: str, regions: Regions, *, shift_px: float = 0.0, toes: tuple[str, ...] = TOES) -> None:
    """The toes as found, moved by ``shift_px`` towards the heel."""
    drawings = []
    for side in SIDES:
        for toe in toes:
            item = regions.get(side, toe)
            assert item is not None
            moved = shapely.transform(mask_polygon(item.mask), lambda xy: xy + np.array([0.0, shift_px]))
            drawings.append(Drawing(side, toe, moved, name, replaces=Replaced(item.drawn_by)))
    write_drawings(drawings, study / "annotations" / f"{name}.geojson")


def test_two_readers_are_compared_and_the_first_is_used(study: Path, tmp_path: Path) -> None:
    plain = analyse_study(study)
    assert plain.agreement is None
    for scan in plain.scans:
        mark(study, scan.scan, scan.regions)
        mark(study, f"{scan.scan}.DrB", scan.regions, shift_px=2.0)
    assert check_study(study).ok
    assert not [p for p in check_study(study).warnings if "annotations" in p.file]
    result = run_study(study, tmp_path / "results")
    table = pd.read_csv(tmp_path / "results" / "agreement.csv", keep_default_na=False)
    assert list(table.columns) == list(AGREEMENT)
    assert set(table["reader_1"]) == {"used"}
    assert set(table["reader_2"]) == {"DrB"}
    for metric in ("dice", "mean_difference"):
        rows = table[table["metric"] == metric]
        assert len(rows) == 2 * 10
        assert set(rows["scan"]) == {"P1-before", "P1-week06"}
    scan = result.scans[0]
    toe = scan.regions.get("left", "toe1")
    assert toe is not None
    assert toe.drawn_by == "P1-before"
    moved = rasterise(shapely.transform(mask_polygon(toe.mask), lambda xy: xy + np.array([0.0, 2.0])), SHAPE)
    row = table[(table["scan"] == "P1-before") & (table["side"] == "left") & (table["region"] == "toe1")]
    row = row.set_index("metric")
    expected = 2 * (toe.mask & moved).sum() / (toe.mask.sum() + moved.sum())
    assert float(row.loc["dice", "value"]) == pytest.approx(expected, abs=1e-6)
    picture = scan.thermogram["temperature"].values
    difference = picture[moved].mean() - picture[toe.mask].mean()
    assert float(row.loc["mean_difference", "value"]) == pytest.approx(difference, abs=1e-4)
    pooled = table[(table["metric"] == "icc_2_1") & (table["region"] == "toes")].iloc[0]
    assert (int(pooled["n"]), float(pooled["level"]), pooled["scan"]) == (20, 0.95, "")
    assert float(pooled["lower"]) < float(pooled["value"]) < float(pooled["upper"])
    inputs = json.loads((tmp_path / "results" / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert "annotations/P1-before.DrB.geojson" in inputs


def test_the_intraclass_correlation_is_that_of_the_toes_both_drew(study: Path) -> None:
    scans = analyse_study(study).scans
    mark(study, "P1-before.A", scans[0].regions, toes=TOES[:4])
    mark(study, "P1-before.B", scans[0].regions, toes=TOES[1:], shift_px=1.0)
    result = analyse_study(study)
    assert result.agreement is not None
    rows = result.agreement.set_index("metric")
    assert set(rows["reader_1"]) == {"A"}
    assert sorted(set(rows.loc["dice", "region"])) == ["toe2", "toe3", "toe4"]
    picture = result.scans[0].thermogram["temperature"].values
    readings = []
    for side in SIDES:
        for name in TOES[1:4]:
            item = scans[0].regions.get(side, name)
            assert item is not None
            moved = rasterise(shapely.transform(mask_polygon(item.mask), lambda xy: xy + np.array([0.0, 1.0])), SHAPE)
            readings.append([picture[item.mask].mean(), picture[moved].mean()])
    pooled = result.agreement[result.agreement["metric"] == "icc_2_1"].iloc[0]
    assert pooled["value"] == pytest.approx(icc_2_1(readings).value, abs=1e-4)
    assert pooled["n"] == 6


def test_a_second_reader_with_a_broken_file_is_named_and_left_out(study: Path) -> None:
    scans = analyse_study(study).scans
    mark(study, "P1-before", scans[0].regions)
    path = study / "annotations" / "P1-before.B.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [3]}', encoding="utf-8")
    result = analyse_study(study)
    assert result.agreement is not None
    assert result.agreement.empty
    assert any("left out of agreement.csv" in note and "P1-before.B.geojson" in note for note in result.warnings)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("S1.geojson", ("S1", "")),
        ("S1.DrB.geojson", ("S1", "DrB")),
        ("S1.left.geojson", ("S1.left", "")),
        ("S1.left.DrB.geojson", ("S1.left", "DrB")),
        ("S1.proposed.geojson", ("S1", "proposed")),
        ("S2.geojson", None),
        ("S1.Dr B.geojson", None),
        ("S1.DrB.json", None),
    ],
)
def test_names_say_what_an_annotation_is(name: str, expected: tuple[str, str] | None) -> None:
    found = annotation_of(Path(name), {"S1", "S1.left"})
    assert (None if found is None else (found.scan, found.author)) == expected
