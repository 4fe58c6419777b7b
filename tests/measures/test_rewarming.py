"""Figures of a cold challenge against closed-form courses that know nothing of how they are read, and their u."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.measures import Baseline, Cause, RegionCurves, RewarmingResult, rewarming_metrics, rewarming_table
from rewarm.tables import MEASUREMENTS

Floats = NDArray[np.float64]
TOE = ("left", "toe1")


class Truth:
    """A rise by ``rise`` with time constant ``tau`` after ``onset``, and what the definitions make of it."""

    def __init__(self, start=15.0, rise=12.0, onset=40.0, tau=150.0, before=26.0) -> None:
        self.start, self.rise, self.onset, self.tau, self.before = start, rise, onset, tau, before

    def __call__(self, t) -> Floats:
        since = np.maximum(np.asarray(t, dtype=np.float64) - self.onset, 0.0)
        risen = self.start + self.rise * (1.0 - np.exp(-since / self.tau))
        return np.where(np.asarray(t) < 0, self.before, risen)

    def reaches(self, share: float) -> float:
        wanted = share * (self.before - self.start) / self.rise
        return self.onset - self.tau * log(1.0 - wanted) if wanted < 1.0 else float("inf")

    def line(self, first: float, length: float) -> tuple[float, float]:
        """Slope and mean of the least-squares line through the continuous course, by fine midpoints."""
        t = first + length * (np.arange(400) + 0.5) / 400
        x = t - t.mean()
        return float(x @ self(t) / (x @ x)), float(self(t).mean())

    def figures(self) -> dict[str, float]:
        firsts = np.arange(max(self.onset - 10.0, 0.0), self.onset + 20.0, 0.5)
        lines = [self.line(first, 60.0) for first in firsts]
        k = int(np.argmax([slope for slope, _ in lines]))
        slope = lines[k][0]
        lost = self.before - self.start
        followed = 900.0 - self.onset
        return {
            "tpre": self.before,
            "t0": self.start,
            "tmin": self.start,
            "rewarming_max": float(self(900.0)),
            "lag": self.onset,
            "max_gradient": 60.0 * slope,
            "gradient_2min": 60.0 * self.line(0.0, 120.0)[0],
            "auc": self.rise * (followed - self.tau * (1.0 - exp(-followed / self.tau))) / 60.0,
            **{f"recovery_{m}min": 100.0 * (float(self(60.0 * m)) - self.start) / lost for m in (5, 10, 15)},
            **{f"t{p}": self.reaches(p / 100) for p in (25, 50, 100)},
            "time_constant": self.tau,
        }


def curves_of(
    time_s: Floats, rows: dict[tuple[str, str], Floats], *, noise_c=0.01, causes: tuple[Cause, ...] = (), **more
) -> RegionCurves:
    values = np.stack(list(rows.values()))
    return RegionCurves(
        time_s, tuple(rows), values, np.full_like(values, noise_c), causes, np.full(len(rows), 100), "left_foot",
        "plantar", ("a person",) * len(rows), **more,
    )  # fmt: skip


def every(step_s: float, *, until: float = 1200.0, before: tuple[float, ...] = (-60.0, -40.0, -20.0)) -> Floats:
    return np.array([*before, *np.arange(0.0, until + 1e-9, step_s)])


def of(result: RewarmingResult, metric: str, name: tuple[str, str] = TOE):
    found = [m for m in result.metrics if m.metric == metric and (m.side, m.region) == name]
    assert len(found) == 1, f"{metric}: {len(found)}"
    return found[0]


@pytest.mark.parametrize("step_s", [2.0, 10.0])
def test_a_course_without_noise_gives_the_closed_form_s_figures(step_s: float):
    truth = Truth()
    time_s = every(step_s)
    result = rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}, noise_c=1e-6))
    within = {"t25": 1.0, "t50": 1.0, "t100": 1.0, "lag": 1.0, "auc": 0.5, "max_gradient": 0.12, "gradient_2min": 0.06}
    for name, value in truth.figures().items():
        assert of(result, name).value == pytest.approx(value, abs=within.get(name, 0.5)), name
    assert {of(result, f"t{p}_reached").value for p in (25, 50, 100)} == {1.0}
    assert result.warnings == ()


@pytest.mark.parametrize("tau", [90.0, 180.0, 350.0])
@pytest.mark.parametrize("step_s", [1.0, 5.0, 10.0, 15.0])
def test_the_lag_is_when_the_rise_began_however_fast_it_flattens(tau: float, step_s: float):
    off = []
    for onset in np.linspace(20.0, 118.0, 8):
        truth, time_s = Truth(tau=tau, onset=onset), every(step_s)
        found = of(rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}, noise_c=1e-6)), "lag")
        off.append(found.value - onset)
    assert abs(np.mean(off)) < 0.6  # the straight line through the first minute cuts 1.2 to 4 s too early
    assert np.abs(off).max() < max(1.0, 0.25 * step_s)


UNITS = {
    "tpre": "degC", "t0": "degC", "tmin": "degC", "rewarming_max": "degC", "lag": "s", "lag_reached": "1",
    "max_gradient": "degC/min", "gradient_2min": "degC/min", "auc": "degC min", "recovery_5min": "percent",
    "recovery_10min": "percent", "recovery_15min": "percent", "t25": "s", "t25_reached": "1", "t50": "s",
    "t50_reached": "1", "t100": "s", "t100_reached": "1", "time_constant": "s", "vasomotion_power": "degC2",
}  # fmt: skip


def test_every_metric_comes_with_its_unit_in_order():
    time_s = every(10.0)
    result = rewarming_metrics(curves_of(time_s, {TOE: Truth()(time_s)}))
    assert {m.metric: m.unit for m in result.metrics} == UNITS
    assert [m.metric for m in result.metrics] == list(UNITS)


def test_uncertainties_cover_the_truth(monkeypatch: pytest.MonkeyPatch):
    """500 courses of random shape, each with its own offset, gain, noise and gap: 95 % intervals hold 90 to 99 %."""
    monkeypatch.setattr("rewarm.measures.rewarming_course.DRAWS", 200)
    monkeypatch.setattr("rewarm.measures.course_figures.fit_rewarming", lambda *_: ())  # has a test of its own
    random = np.random.default_rng(5)
    hits: dict[str, list[bool]] = {}
    for _ in range(20):
        time_s = every(10.0)
        gap = random.uniform(150, 600)
        time_s = time_s[(time_s < gap) | (time_s > gap + 40)]
        truths, rows, causes = {}, {}, []
        for k in range(25):
            name = ("left", f"toe{k}")
            start, rise = random.uniform(12, 17), random.uniform(8, 14)
            before = start + random.uniform(0.6, 0.95) * rise
            truth = Truth(start, rise, random.uniform(0, 150), random.uniform(60, 250), before)
            offset, gain = np.zeros((25, time_s.size)), np.zeros((25, time_s.size))
            offset[k], gain[k] = 0.5, 0.01 * (truth(time_s) - 23.0)
            moved = random.normal() * offset[k] + random.normal() * gain[k]
            truths[name], rows[name] = truth, truth(time_s) + moved + random.normal(0, 0.03, time_s.size)
            causes += [Cause("camera accuracy", "normal", offset), Cause("emissivity", "normal", gain)]
        result = rewarming_metrics(curves_of(time_s, rows, noise_c=0.03, causes=tuple(causes)))
        for name, truth in truths.items():
            for metric, value in truth.figures().items():
                found = [m for m in result.metrics if m.metric == metric and (m.side, m.region) == name]
                if found and np.isfinite(found[0].u):
                    hits.setdefault(metric, []).append(abs(found[0].value - value) <= 1.96 * found[0].u)
    shares = {metric: float(np.mean(hit)) for metric, hit in hits.items()}
    assert all(len(hit) >= 480 for metric, hit in hits.items()), {m: len(h) for m, h in hits.items()}
    outside = {metric: share for metric, share in shares.items() if not 0.90 <= share <= 0.99}
    assert outside == {}


def test_an_offset_of_the_camera_cancels_in_all_but_temperatures():
    time_s = every(10.0)
    offset = Cause("camera accuracy", "rectangular", np.full((1, time_s.size), 1.2))
    rows = {TOE: Truth()(time_s)}
    with_offset = rewarming_metrics(curves_of(time_s, rows, causes=(offset,)))
    without = rewarming_metrics(curves_of(time_s, rows))
    for metric in ("tpre", "t0", "tmin", "rewarming_max"):
        assert of(with_offset, metric).u == pytest.approx(1.2, rel=0.1)
        assert of(without, metric).u < 0.03
    for metric in ("lag", "max_gradient", "gradient_2min", "auc", "recovery_5min", "t25", "t50"):
        assert of(with_offset, metric).u == pytest.approx(of(without, metric).u, rel=0.25), metric


def test_an_error_that_grows_with_temperature_does_not_cancel():
    time_s = every(2.0)
    truth = Truth()
    gain = Cause("emissivity", "normal", 0.02 * (truth(time_s)[None] - 22.0))
    result = rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}, causes=(gain,)))
    gradient = of(result, "max_gradient")
    assert gradient.u == pytest.approx(0.02 * gradient.value, rel=0.25)
    assert of(result, "auc").u == pytest.approx(0.02 * of(result, "auc").value, rel=0.15)


def test_a_time_not_reached_is_censored_at_the_end():
    truth = Truth(rise=6.0, before=26.0)
    time_s = every(10.0, until=600.0)
    result = rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}))
    assert (of(result, "t25").value, of(result, "t25_reached").value) == (
        pytest.approx(truth.reaches(0.25), abs=1.0),
        1.0,
    )
    for share in (100,):
        late = of(result, f"t{share}")
        assert late.value == 600.0
        assert np.isnan(late.u)
        assert late.note == "not reached within 600 s"
        assert of(result, f"t{share}_reached").value == 0.0
    assert "followed for 600 s only" in of(result, "rewarming_max").note
    assert any("no recovery_15min" in warning for warning in result.warnings)
    assert any("no auc" in warning for warning in result.warnings)


def test_a_time_near_the_end_says_that_reaching_is_in_doubt():
    time_s = every(10.0)
    truth = Truth(rise=12.0)
    truth.before = float(truth(1198.0)) + 0.002
    result = rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}, noise_c=0.05))
    assert of(result, "t100_reached").u > 0.3
    assert of(result, "t50_reached").u == 0.0


def test_stills_at_0_5_10_and_15_minutes_say_how_little_they_know_of_times():
    truth = Truth()
    time_s = np.array([0.0, 300.0, 600.0, 900.0])
    baseline = {TOE: Baseline(26.0, 0.1)}
    result = rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)}), baseline=baseline)
    figures = truth.figures()
    for metric in ("t25", "t50"):
        found = of(result, metric)
        assert found.u == pytest.approx(300.0 / sqrt(12.0), rel=0.02)
        assert abs(found.value - figures[metric]) < 1.96 * found.u
    assert of(result, "recovery_10min").value == pytest.approx(figures["recovery_10min"], abs=0.5)
    assert "across a gap of 300 s: the true one is steeper" in of(result, "max_gradient").note
    assert of(result, "max_gradient").value < figures["max_gradient"]
    assert "may hide the begin" in of(result, "lag").note
    said = " ".join(result.warnings)
    assert "no gradient_2min" in said
    assert "no time_constant" in said
    assert "no vasomotion_power: the recording" in said or "no vasomotion_power: frames" in said


def test_a_gap_over_the_crossing_widens_its_uncertainty():
    truth = Truth()
    time_s = every(10.0)
    crossing = truth.reaches(0.5)
    holed = time_s[(time_s < crossing - 50) | (time_s > crossing + 40)]
    whole = of(rewarming_metrics(curves_of(time_s, {TOE: truth(time_s)})), "t50")
    gap = of(rewarming_metrics(curves_of(holed, {TOE: truth(holed)})), "t50")
    assert whole.u < 2.0
    assert 20.0 < gap.u < 35.0
    assert abs(gap.value - crossing) < 1.96 * gap.u


def test_a_baseline_of_another_scan_shares_the_camera_s_offset():
    time_s = every(10.0, before=())
    offset = Cause("camera accuracy", "rectangular", np.full((1, time_s.size), 1.2))
    curves = curves_of(time_s, {TOE: Truth()(time_s)}, causes=(offset,))
    result = rewarming_metrics(curves, baseline={TOE: Baseline(26.0, 0.2)})
    assert of(result, "tpre").u == pytest.approx(sqrt(1.2**2 + 0.2**2), rel=0.1)
    assert of(result, "tpre").note == "scan at rest"
    lost = 26.0 - 15.0
    expected = of(result, "recovery_10min").value * 0.2 / lost
    assert of(result, "recovery_10min").u == pytest.approx(expected, rel=0.25)


def test_what_cannot_be_had_is_said():
    time_s = every(10.0, before=())
    result = rewarming_metrics(curves_of(time_s, {TOE: Truth()(time_s)}))
    assert any("no baseline: tpre" in warning for warning in result.warnings)
    assert not [m for m in result.metrics if m.metric.startswith(("recovery", "t50"))]
    warm = rewarming_metrics(curves_of(every(10.0), {TOE: Truth(start=25.5, rise=0.3)(every(10.0))}))
    assert any("cooled by less than 1 °C" in warning for warning in warm.warnings)
    assert of(warm, "lag_reached").value == 0.0
    assert of(warm, "lag").value == 1200.0
    late = every(10.0)
    late = late[(late < 0) | (late > 90)]
    result = rewarming_metrics(curves_of(late, {TOE: Truth()(late)}))
    assert any("first frame later than 30 s" in warning for warning in result.warnings)
    nothing = curves_of(time_s, {TOE: np.full(time_s.size, np.nan)})
    assert rewarming_metrics(nothing).metrics == ()
    assert "fewer than two frames" in rewarming_metrics(nothing).warnings[0]
    some = curves_of(time_s, {TOE: Truth()(time_s)}, left_out=("left: 3 of 90 frames left out (3 covered)",))
    assert rewarming_metrics(some).warnings[0] == "left: 3 of 90 frames left out (3 covered)"


def test_digits_are_compared_with_the_arch_and_what_both_share_cancels():
    time_s = every(10.0)
    toe, arch = Truth(), Truth(start=20.0, rise=9.0, onset=0.0, tau=200.0, before=28.0)
    rows = {TOE: toe(time_s), ("left", "arch"): arch(time_s)}
    shared = Cause("camera accuracy", "rectangular", np.full((2, time_s.size), 1.2))
    own = np.zeros((2, time_s.size))
    own[0] = 0.2
    causes = (shared, Cause("outline", "normal", own))
    found = [
        m for m in rewarming_metrics(curves_of(time_s, rows, causes=causes)).metrics
        if m.metric == "distal_proximal_difference"
    ]  # fmt: skip
    assert [m.time_s for m in found] == [-40.0, 0.0, 300.0, 600.0, 900.0]
    for metric in found:
        expected = float(toe(metric.time_s) - arch(metric.time_s))
        assert metric.value == pytest.approx(expected, abs=0.05)
        assert metric.u == pytest.approx(0.2, rel=0.2)
        assert (metric.side, metric.region, metric.unit) == ("left", "toe1", "delta_degC")
    dorsal = replace(curves_of(time_s, {TOE: toe(time_s), ("left", "dorsum"): arch(time_s)}), view="dorsal")
    assert any(m.metric == "distal_dorsal_difference" for m in rewarming_metrics(dorsal).metrics)


def test_a_time_constant_that_the_recording_does_not_tell_is_no_figure():
    time_s = every(10.0, until=300.0)
    barely = 15.0 + 0.002 * np.maximum(time_s, 0.0) + np.random.default_rng(1).normal(0.0, 0.15, time_s.size)
    result = rewarming_metrics(curves_of(time_s, {TOE: barely}, noise_c=0.15))
    kept = [item for item in result.metrics if item.metric == "time_constant"]
    assert kept == []
    assert any("no time_constant" in text for text in result.warnings)


def test_the_table_has_the_columns_of_measurements():
    time_s = every(10.0)
    rows = {TOE: Truth()(time_s), ("left", "arch"): Truth(start=20)(time_s)}
    result = rewarming_metrics(curves_of(time_s, rows))
    table = rewarming_table(result, participant="P1", visit="V1", scan="S1")
    assert list(table.columns) == list(MEASUREMENTS)
    assert len(table) == len(result.metrics)
    assert set(table["scan"]) == {"S1"}
    differences = table["metric"] == "distal_proximal_difference"
    assert table.loc[differences, "time_s"].notna().all()
    assert table.loc[~differences, "time_s"].isna().all()
    assert table["value"].notna().all()
    empty = rewarming_table(RewarmingResult((), ()))
    assert list(empty.columns) == list(MEASUREMENTS)


def test_the_same_seed_gives_the_same_uncertainties():
    time_s = every(10.0)
    curves = curves_of(time_s, {TOE: Truth()(time_s)})
    assert rewarming_metrics(curves, seed=3) == rewarming_metrics(curves, seed=3)
    assert of(rewarming_metrics(curves, seed=3), "t50").u != of(rewarming_metrics(curves, seed=4), "t50").u
