"""What a confidence is: a probability that never falls with the score, and a promise from 0.9 on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rewarm.anatomy import confidence as module
from rewarm.anatomy.confidence import KINDS, TABLE, Curve, confidence, kind_of
from rewarm.anatomy.learned import SIGNS
from rewarm.errors import UnreadableFileError

GOOD = {"centre": [0.0], "scale": [1.0], "weights": [1.0], "bias": 0.0, "knots": [-2.0, 2.0], "shares": [0.1, 0.97]}
SURE = {**GOOD, "knots": [0.0, 2.0], "shares": [0.0, 0.96]}


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "confidence.json"
    path.write_text(json.dumps({"curves": {kind: {"good": GOOD, "sure": SURE} for kind in KINDS}}))
    monkeypatch.setattr(module, "TABLE", path)
    module._curves.cache_clear()
    yield path
    module._curves.cache_clear()


@pytest.mark.parametrize(
    ("part", "kind"),
    [("toe3", "toe"), ("finger1", "finger"), ("heel", "sole"), ("arch", "sole"), ("ball", "sole"), ("dorsum", "dorsum"),
     ("foot", "foot"), ("hand", "hand"), ("palm", "palm")],
)  # fmt: skip
def test_every_part_has_its_kind(part: str, kind: str) -> None:
    assert kind_of(part) == kind
    assert kind in KINDS


def test_a_curve_is_a_line_through_its_shares_and_flat_outside() -> None:
    curve = Curve(*(np.array(GOOD[name]) for name in ("centre", "scale", "weights")), 0.0, np.array([-2.0, 2.0]),
                  np.array([0.1, 0.97]))  # fmt: skip
    assert curve.probability(np.array([0.0])) == pytest.approx(0.535)
    assert curve.probability(np.array([-9.0])) == pytest.approx(0.1)
    assert curve.probability(np.array([9.0])) == pytest.approx(0.97)


def test_nine_tenths_are_only_reached_where_the_stricter_promise_holds_too(table: Path) -> None:
    assert confidence("toe1", np.array([1.9])) == pytest.approx(0.899)  # good 0.95, sure 0.91
    assert confidence("toe1", np.array([2.0])) == pytest.approx(0.97)  # sure 0.96
    assert confidence("toe1", np.array([-2.0])) == pytest.approx(0.1)
    rising = [confidence("toe1", np.array([x])) for x in np.linspace(-3, 3, 61)]
    assert rising == sorted(rising)


def test_a_damaged_table_is_said_with_what_to_do(table: Path) -> None:
    table.write_text("{}")
    module._curves.cache_clear()
    with pytest.raises(UnreadableFileError, match=r"confidence\.json: expected .* Install rewarm again"):
        confidence("toe1", np.array([1.0]))


def test_the_packages_own_table_knows_every_kind_and_sign() -> None:
    stored = json.loads(TABLE.read_text(encoding="utf-8"))
    assert stored["signs"] == list(SIGNS)
    for kind in KINDS:
        for curve in stored["curves"][kind].values():
            assert len(curve["weights"]) == len(SIGNS)
            assert curve["shares"] == sorted(curve["shares"])
            assert 0.0 <= curve["shares"][0] <= curve["shares"][-1] <= 1.0
