"""The whole chain on a simulated case series, against the truth that lies beside it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import tifffile

from rewarm.anatomy import regions_from_masks, write_regions
from rewarm.regions import LEGEND, SOLE_REGIONS, TOES
from rewarm.study import StudyResult, run_study
from rewarm.tables import SMALLEST_DETECTABLE_FACTOR
from rewarm.twin import simulate_case_series

KEY = ["scan", "side", "region"]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate_case_series(tmp_path_factory.mktemp("simulated") / "study")


@pytest.fixture(scope="module")
def drawn(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    """The run in which a perfect person drew every region."""
    place = tmp_path_factory.mktemp("drawn")
    codes = {code: name for name, code in LEGEND.items()}
    for path in sorted((simulated / "truth" / "labels").glob("*.tif")):
        labels = tifffile.imread(path)
        masks = {codes[int(code)]: labels == code for code in sorted(set(labels.ravel().tolist())) if code}
        regions = regions_from_masks(masks, limb="feet", view="plantar", drawn_by="truth")
        write_regions(regions, place, scan=path.stem)
    (place / "regions" / "legend.json").unlink(missing_ok=True)
    annotations = simulated / "annotations"
    annotations.mkdir()
    for path in (place / "regions").glob("*.geojson"):
        path.rename(annotations / path.name)
    return run_study(simulated, place / "out")


def truth_of(simulated: Path) -> pd.Series:
    return pd.read_csv(simulated / "truth" / "regions.csv").set_index(KEY)["skin_mean_c"]


def coverage(found: pd.Series, true: pd.Series, u: pd.Series) -> float:
    return float(((found - true).abs() <= SMALLEST_DETECTABLE_FACTOR * u).mean())


def test_twelve_scans_are_measured_and_nine_compared(drawn: StudyResult) -> None:
    assert len(drawn.scans) == 12
    assert len(drawn.comparisons) == 9
    for scan in drawn.scans:
        assert {f"{side}_{toe}" for side in ("left", "right") for toe in TOES} <= {r.name for r in scan.regions.found}
    assert {c.before.visit for c in drawn.comparisons} == {"before"}
    assert set(drawn.tables) == {"participants", "visits", "scans", "injections", "diary"}


def test_region_means_hold_the_truth_within_their_uncertainty(simulated: Path, drawn: StudyResult) -> None:
    table = drawn.measurements.query("metric == 'mean' and side != ''")
    table = table[table["region"].isin(SOLE_REGIONS)].set_index(KEY)
    true = truth_of(simulated).reindex(table.index)
    assert true.notna().all()
    assert len(table) == 12 * 16
    assert coverage(table["value"], true, table["u"]) >= 0.95


def test_changes_hold_the_simulated_effect_within_their_uncertainty(simulated: Path, drawn: StudyResult) -> None:
    truth = truth_of(simulated)
    table = drawn.comparison_table
    table = table[(table["side"] != "") & table["region"].isin(SOLE_REGIONS)]

    def true_values(rows: pd.DataFrame, scans: str, region: str | None = None) -> pd.Series:
        regions = rows["region"] if region is None else [region] * len(rows)
        keys = pd.MultiIndex.from_arrays([rows[scans], rows["side"], regions])
        return pd.Series(truth.reindex(keys).to_numpy(), index=rows.index)

    means = table[table["metric"] == "mean"]
    true = true_values(means, "scan_after") - true_values(means, "scan_before")
    assert len(means) == 9 * 16
    assert coverage(means["change"], true, means["u"]) >= 0.95

    gaps = table[table["metric"] == "distal_proximal_difference"]
    toes = true_values(gaps, "scan_after") - true_values(gaps, "scan_before")
    arches = true_values(gaps, "scan_after", "arch") - true_values(gaps, "scan_before", "arch")
    assert len(gaps) == 9 * 10
    assert coverage(gaps["change"], toes - arches, gaps["u"]) >= 0.9
    # what cancels inside one picture must have cancelled: these are known far better than the temperatures
    assert gaps["u"].median() < 0.5 * means["u"].median()
    assert ((gaps["change"] - (toes - arches)) ** 2).mean() ** 0.5 < 0.5
