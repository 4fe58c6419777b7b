"""What the sampler integrates, held against the model written down once more as one dense Gaussian."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from rewarm.effects.frame import analysis_frame
from rewarm.effects.marginal import conditional, layout, marginal
from rewarm.effects.metrics import outcome_named
from rewarm.effects.model import ENROLMENT, build_model, course
from rewarm.effects.posterior import log_density, named, start_of, vector_of
from tests.effects.effect_worlds import world

OUTCOME = outcome_named("mean")
DAYS = (-21, 0, 14, 90)


def model(*, gaps=False, **options):
    made = world(days=DAYS, season_c=1.0, **options)
    rows = made.measurements
    if gaps:
        rows = rows[np.random.default_rng(4).random(len(rows)) > 0.15]
    return build_model(analysis_frame(OUTCOME, "toes", rows, made.visits, made.injections), OUTCOME)


@pytest.fixture(scope="module")
def series():
    return model(people=2)


@pytest.fixture(scope="module")
def arms():
    return model(people=2, controls=1, treated_sides=("left",), gaps=True)


def parameters(data, seed=0):
    """Spreads, share, and course of one parameter vector; the durations of the treated."""
    vector = start_of(data, seed)[None]
    return vector[0], named(data, vector)


def dense(data, found):
    """y ~ N(X·mean, V), with the columns X, the priors of their coefficients and V without them."""

    def same(codes):
        return (codes[:, None] == codes[None, :]).astype(float)

    variance = {name: float(value[0]) ** 2 for name, value in found.sd.items()}
    lasts = np.ones(len(data.people))
    lasts[data.treated_people] = found.duration[0]
    forms = found.shape[0], found.tail[0], found.rise[0]
    share = course(data.day, found.onset[0], lasts[data.person], *forms) * data.treated
    v = np.diag(variance["residual"] + data.u_own**2)
    for name, codes in (("person", data.person), ("limb", data.limb), ("digit", data.digit)):
        v += variance[name] * same(codes)
    v += variance["visit"] * data.visit_correlation()[np.ix_(data.visit, data.visit)]
    v += variance["visit_limb"] * same(data.visit_limb)
    v += variance["offset"] * same(data.visit) * data.u_visit[data.visit][:, None] ** 2
    slopes = data.slopes * data.slope_sd
    v += slopes @ slopes.T * same(data.person)
    if data.parallel:
        v += variance["change"] * same(data.person) * np.outer(data.after, data.after)
    v += np.outer(share, share) * variance["effect_person"] * same(data.person)
    v += np.outer(share, share) * variance["effect_digit"] * same(data.digit)
    between = np.sqrt(variance["visit"] + variance["offset"] * data.typical_offset**2)
    factor = np.where(np.array(data.names) == ENROLMENT, between, 1.0)
    mean = np.append(data.prior_mean * factor, 0.0)
    sd = np.append(data.prior_sd * factor, data.priors.effect_sd)
    return np.column_stack([data.columns, share]), mean, sd, v, variance, share


def at(data, found, boxes, y):
    lasts = np.ones((len(found.onset), len(data.people)))
    lasts[:, data.treated_people] = found.duration
    onset, *forms = (values[:, None, None] for values in (found.onset, found.shape, found.tail, found.rise))
    share = course(boxes.day[None], onset, lasts[..., None], *forms)
    return marginal(data, boxes, found.sd, share, y)


@pytest.mark.parametrize("kind", ["series", "arms"])
def test_every_term_stands_where_the_page_says(kind, request):
    data = request.getfixturevalue(kind)
    assert ENROLMENT in data.names
    assert data.parallel == (kind == "arms")
    for seed in (1, 2):
        _, found = parameters(data, seed)
        boxes = layout(data)
        x, mean, sd, v, _, _ = dense(data, found)
        expected = multivariate_normal(x @ mean, v + (x * sd**2) @ x.T).logpdf(data.y)
        assert at(data, found, boxes, boxes.y[None]).log_likelihood[0] == pytest.approx(expected, rel=1e-8)


def test_what_was_integrated_is_drawn_from_its_posterior(arms):
    """Means and covariances of many draws at one parameter vector are those of the dense Gaussian."""
    data, count = arms, 2500
    _, one = parameters(data, 1)
    found = replace(
        one,
        sd={name: np.repeat(value, count) for name, value in one.sd.items()},
        onset=np.repeat(one.onset, count),
        duration=np.repeat(one.duration, count, axis=0),
        shape=np.repeat(one.shape, count),
        tail=np.repeat(one.tail, count),
        rise=np.repeat(one.rise, count),
    )
    boxes = layout(data)
    y = np.repeat(boxes.y[None], count, axis=0)
    effect, population, beta = conditional(data, boxes, at(data, found, boxes, y), y, np.random.default_rng(5))
    x, mean, sd, v, variance, share = dense(data, one)
    # The effects of the treated beside the coefficients: population + own + mean of their digits' own.
    own = [np.zeros(len(data.y)) for _ in data.treated_people]
    prior = np.diag(np.append(sd**2, np.zeros(len(own))))
    cross = np.zeros((len(own), len(data.y)))
    for i, person in enumerate(data.treated_people):
        rows = (data.person == person) & (data.treated > 0)
        digits = len(np.unique(data.digit[rows]))
        spread = variance["effect_person"] + variance["effect_digit"] / digits
        cross[i] = share * rows * spread
        prior[len(sd) + i, len(sd) + i] = spread
    with_y = np.vstack([(x * sd**2).T, cross])
    gain = np.linalg.solve(v + (x * sd**2) @ x.T, with_y.T).T
    centre = np.append(mean, np.zeros(len(own))) + gain @ (data.y - x @ mean)
    spread = prior - gain @ with_y.T
    add = np.eye(len(centre))
    add[len(sd) :, len(sd) - 1] = 1.0
    expected, cov = add @ centre, add @ spread @ add.T
    drawn = np.column_stack([beta, population, effect])
    error = np.sqrt(np.diag(cov))
    assert np.abs((drawn.mean(axis=0) - expected) / error).max() < 5 / np.sqrt(count)
    assert np.cov(drawn.T) == pytest.approx(cov, abs=0.12 * float(error.max() ** 2))
    assert drawn.std(axis=0) == pytest.approx(error, rel=0.05)


numba = pytest.importorskip("numba", reason="the extra rewarm[effects] is not installed", exc_type=ImportError)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["series", "arms"])
def test_the_compiled_density_and_its_gradient(kind, request):
    data = request.getfixturevalue(kind)
    data = replace(data, reached=np.random.default_rng(6).random(len(data.y)) > 0.1)
    boxes = layout(data)
    density = log_density(data, boxes)
    values = []
    for seed in (1, 2):
        vector, found = parameters(data, seed)
        value, gradient = density(vector)
        y = boxes.y[None].copy()
        y[(slice(None), *(index[~data.reached] for index in boxes.at))] += found.beyond
        values.append(value - float(at(data, found, boxes, y).log_likelihood[0]) - priors(data, vector, found))
        step = 1e-5 * np.eye(len(vector))
        slopes = [(density(vector + h)[0] - density(vector - h)[0]) / 2e-5 for h in step]
        assert gradient == pytest.approx(np.array(slopes), rel=1e-4, abs=1e-4)
    assert values[0] == pytest.approx(values[1], abs=1e-7)  # priors are known up to a constant


def priors(data, vector, found):
    """Log priors up to a constant, of the logarithms, with what changing to them costs."""
    where = vector_of(data)
    total = sum(
        2 * np.log(found.sd[name][0]) - 2 * found.sd[name][0] / data.priors.spreads[name] for name in data.spreads
    )
    share, (a, b) = found.sd["offset"][0], data.priors.offset_share
    total += a * np.log(share) + b * np.log(1 - share)
    total += norm.logpdf(vector[where.course]).sum() + norm.logpdf(vector[where.own]).sum()
    spread = np.exp(vector[where.spread])
    return total + float(np.sum(2 * np.log(spread) - 2 * spread / 0.2)) + float(vector[where.beyond].sum())


@pytest.mark.timeout(600)
def test_what_was_not_reached_enters_as_at_least_that_much(series):
    """Integrated over how far beyond its limit it may lie, a censored value adds the probability of lying there."""
    row = 7
    reached = np.arange(len(series.y)) != row
    censored = replace(series, reached=reached)
    vector, found = parameters(censored, 1)
    density = log_density(censored, layout(censored))
    place = vector_of(censored).beyond.start
    far = np.linspace(-9.0, 3.0, 500)
    heights = [density(np.insert(vector[:place], place, at))[0] for at in far]
    total = np.trapezoid(np.exp(np.array(heights) - max(heights)), far) * np.exp(max(heights))
    x, mean, sd, v, _, _ = dense(series, found)
    v = v + (x * sd**2) @ x.T
    others = np.linalg.solve(v[np.ix_(reached, reached)], v[reached, row])
    centre = x[row] @ mean + others @ (series.y - x @ mean)[reached]
    tail = norm.logsf(series.y[row], centre, np.sqrt(v[row, row] - others @ v[reached, row]))
    alone = multivariate_normal(x[reached] @ mean, v[np.ix_(reached, reached)]).logpdf(series.y[reached])
    seen = log_density(series, layout(series))(vector[:place])[0]
    whole = multivariate_normal(x @ mean, v).logpdf(series.y)
    assert np.log(total) == pytest.approx(seen - whole + alone + tail, abs=1e-3)
