"""Where two people marked the same scan: how well their regions, and the toes' temperatures under them, agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import nan
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rewarm.anatomy import rasterise, read_drawings
from rewarm.errors import RewarmError
from rewarm.measures import dice, icc_2_1
from rewarm.regions import TOES, Mask
from rewarm.study.annotations import Annotation, study_annotations
from rewarm.study.results import ScanResult
from rewarm.tables import AGREEMENT
from rewarm.thermogram import temperature_c

USED: Final = "used"
"""The reader of SCAN.geojson, whose drawing the analysis uses."""

FEWEST_TOES: Final = 3
"""An intraclass correlation of fewer toes says nothing."""

Masks = Mapping[tuple[str, str], Mask]
Reading = tuple[str, str, float, float]
"""Side, toe, and its mean temperature (°C) under the first and the second reader's drawing."""


def study_agreement(folder: Path, scans: Sequence[ScanResult]) -> tuple[pd.DataFrame | None, list[str], list[Path]]:
    """Agreement of all pairs of readers: a table (:data:`rewarm.tables.AGREEMENT`), None without a second reader.

    Per scan and region that both drew: Dice, and the difference of its mean temperature. Per pair of readers: ICC(2,1)
    of the mean temperatures of the toes that both drew, over all their scans. Also returns a sentence for each file
    that could not be read, and the files of second readers.
    """
    by_scan = {scan.scan: scan for scan in scans}
    annotations = study_annotations(folder, by_scan.keys())
    second = [item.path for item in annotations if item.author]
    if not second:
        return None, [], []
    marked: dict[str, dict[str, Masks]] = {}
    notes: list[str] = []
    for item in annotations:
        try:
            marked.setdefault(item.scan, {})[item.author or USED] = _masks(item, by_scan[item.scan])
        except RewarmError as error:
            notes.append(f"A second reader's drawing is left out of agreement.csv: {error}")
    rows: list[dict[str, Any]] = []
    toes: dict[tuple[str, str], list[Reading]] = {}
    for name, readers in marked.items():
        picture = temperature_c(by_scan[name].thermogram)
        for pair in combinations(sorted(readers, key=_used_first), 2):
            found, readings = _compared(picture, readers[pair[0]], readers[pair[1]])
            scan = by_scan[name]
            who = {"participant": scan.participant, "visit": scan.visit, "scan": scan.scan}
            rows += [{**who, "reader_1": pair[0], "reader_2": pair[1], **row} for row in found]
            toes.setdefault(pair, []).extend(readings)
    for (one, other), readings in toes.items():
        rows += [{"reader_1": one, "reader_2": other, **row} for row in _correlations(readings)]
    return _table(rows), notes, second


def _used_first(reader: str) -> tuple[bool, str]:
    return reader != USED, reader


def _masks(item: Annotation, scan: ScanResult) -> Masks:
    shape = scan.regions.shape
    drawings = read_drawings(item.path, shape=shape, limb=scan.limb)
    return {(d.side, d.name): rasterise(d.geometry, shape) for d in drawings if not d.is_landmark}


def _compared(
    picture: NDArray[np.float32] | NDArray[np.float64], one: Masks, other: Masks
) -> tuple[list[dict[str, Any]], list[Reading]]:
    """Rows of the regions that both drew on one scan, and the toes' temperatures."""
    rows: list[dict[str, Any]] = []
    readings: list[Reading] = []
    for side, region in sorted(one.keys() & other.keys()):
        masks = one[side, region], other[side, region]
        means_c = [_mean(picture, mask) for mask in masks]
        n = int((masks[0] | masks[1]).sum())
        place = {"side": side, "region": region, "n": n}
        rows.append({**place, "metric": "dice", "value": dice(*masks), "unit": "1"})
        difference_c = means_c[1] - means_c[0]
        rows.append({**place, "metric": "mean_difference", "value": difference_c, "unit": "delta_degC"})
        if region in TOES and np.isfinite(means_c).all():
            readings.append((side, region, means_c[0], means_c[1]))
    return rows, readings


def _mean(picture: NDArray[np.float32] | NDArray[np.float64], mask: Mask) -> float:
    values = picture[mask & np.isfinite(picture)]
    return float(values.mean(dtype=np.float64)) if values.size else nan


def _correlations(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """ICC(2,1) of all toes together, and of each toe where there are enough."""
    rows = []
    for region in ("toes", *TOES):
        table = [(one, other) for _, toe, one, other in readings if region in ("toes", toe)]
        if len(table) < FEWEST_TOES:
            continue
        found = icc_2_1(table)
        row = {"region": region, "metric": "icc_2_1", "value": found.value, "unit": "1", "n": found.n}
        rows.append(row | {"lower": found.lower, "upper": found.upper, "level": found.level})
    return rows


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    texts = {"participant", "visit", "scan", "reader_1", "reader_2", "side", "region", "metric", "unit"}
    columns = {}
    for name in AGREEMENT:
        blank: Any = "" if name in texts else (0 if name == "n" else nan)
        kind = "str" if name in texts else ("int64" if name == "n" else "float64")
        columns[name] = pd.Series([row.get(name, blank) for row in rows], dtype=kind)
    return pd.DataFrame(columns)
