"""Models of a rewarming curve against curves of known shape, and the classical least-squares routine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from rewarm.measures import fit_rewarming

TIME_S = np.arange(0.0, 900.0, 10.0)


def exponential(t, start, rise, onset, tau):
    return start + rise * (1.0 - np.exp(-np.maximum(t - onset, 0.0) / tau))


def sigmoid(t, start, rise, middle, width):
    return start + rise / (1.0 + np.exp(-(t - middle) / width))


def two_phase(t, start, slow, tau_slow, fast, onset, tau_fast):
    return exponential(t, start, slow, 0.0, tau_slow) + exponential(t, 0.0, fast, onset, tau_fast)


CURVES = {
    "exponential": exponential(TIME_S, 15.0, 11.0, 60.0, 150.0),
    "sigmoid": sigmoid(TIME_S, 15.0, 9.0, 400.0, 60.0),
    "two_phase": two_phase(TIME_S, 15.0, 4.0, 1200.0, 9.0, 300.0, 100.0),
}


@pytest.mark.parametrize("model", CURVES)
def test_the_model_that_made_a_curve_is_chosen(model: str):
    noisy = CURVES[model] + np.random.default_rng(1).normal(0, 0.05, TIME_S.size)
    fits = fit_rewarming(TIME_S, noisy)
    assert fits[0].model == model
    assert fits[0].weight > 0.7
    assert sum(fit.weight for fit in fits) == pytest.approx(1.0)
    assert [fit.aicc for fit in fits] == sorted(fit.aicc for fit in fits)
    assert abs(fits[0].autocorrelation) < 0.3
    assert fits[0].residual_sd_c == pytest.approx(0.05, rel=0.25)
    assert fits[-1].autocorrelation > 0.6, "what a wrong model leaves is no noise"
    np.testing.assert_allclose(fits[0].fitted_c, CURVES[model], atol=0.06)


def test_parameters_are_those_of_least_squares():
    noisy = CURVES["exponential"] + np.random.default_rng(2).normal(0, 0.05, TIME_S.size)
    expected, covariance = curve_fit(exponential, TIME_S, noisy, p0=[15.0, 10.0, 50.0, 100.0])
    fit = next(fit for fit in fit_rewarming(TIME_S, noisy) if fit.model == "exponential")
    names = ("start_c", "rise_c", "onset_s", "tau_s")
    np.testing.assert_allclose([fit.parameters[name] for name in names], expected, rtol=2e-3)
    np.testing.assert_allclose([fit.u[name] for name in names], np.sqrt(np.diag(covariance)), rtol=0.15)
    assert fit.time_constant_s == pytest.approx(fit.parameters["tau_s"])


def test_the_time_constant_means_the_same_in_every_model():
    t = np.arange(0.0, 900.0, 2.0)
    steep = two_phase(t, 15.0, 0.4, 3000.0, 9.0, 300.0, 100.0)
    fits = {fit.model: fit for fit in fit_rewarming(t, steep)}
    assert fits["two_phase"].time_constant_s == pytest.approx(100.0, rel=0.1)
    assert fits["exponential"].time_constant_s == pytest.approx(100.0, rel=0.1)
    grown = {fit.model: fit for fit in fit_rewarming(TIME_S, CURVES["sigmoid"])}["sigmoid"]
    start, rise = grown.parameters["start_c"], grown.parameters["rise_c"]
    done = float(np.interp(start + (1 - np.exp(-1)) * rise, CURVES["sigmoid"], TIME_S))
    assert grown.time_constant_s == pytest.approx(done - (400.0 - 2 * 60.0), abs=2.0)


def test_uncertainties_cover_the_truth_in_500_draws():
    random = np.random.default_rng(3)
    held = []
    for _ in range(500):
        onset, tau = random.uniform(20, 200), random.uniform(60, 250)
        noisy = exponential(TIME_S[::2], 15.0, 11.0, onset, tau) + random.normal(0, 0.05, 45)
        fit = next(fit for fit in fit_rewarming(TIME_S[::2], noisy) if fit.model == "exponential")
        held.append(abs(fit.time_constant_s - tau) <= 1.96 * fit.u_time_constant_s)
    assert 0.90 <= np.mean(held) <= 0.98


def test_neighbouring_residuals_widen_uncertainties():
    random = np.random.default_rng(4)
    white = random.normal(0, 0.05, TIME_S.size)
    walk = np.convolve(random.normal(0, 0.05, TIME_S.size + 9), np.ones(10) / np.sqrt(10), "valid")
    fits = [
        next(f for f in fit_rewarming(TIME_S, CURVES["exponential"] + noise) if f.model == "exponential")
        for noise in (white, walk)
    ]
    assert fits[1].autocorrelation > 0.6
    assert fits[1].u["tau_s"] > 1.5 * fits[0].u["tau_s"]


def test_what_cannot_be_fitted_is_left_alone():
    assert fit_rewarming(TIME_S[:6], CURVES["exponential"][:6]) == ()
    assert fit_rewarming(TIME_S, np.full(TIME_S.size, 20.0)) == ()
    few = fit_rewarming(TIME_S[::10], CURVES["exponential"][::10])
    assert {fit.model for fit in few} <= {"exponential", "sigmoid", "two_phase"}
    assert not any(np.isinf(fit.weight) for fit in few)
