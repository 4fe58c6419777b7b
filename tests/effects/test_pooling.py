import shutil
import subprocess

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from rewarm.effects.pooling import pool


def test_equal_errors_give_the_one_sample_t_test():
    changes = np.array([-2.0, -1.2, 0.3, -1.9, -0.4])
    for pooled in (pool(changes, np.full(5, 0.1)), pool(changes, [0.1, 0.9, 0.3, 0.2, 0.5], equal_weights=True)):
        theirs = ttest_1samp(changes, 0.0)
        assert pooled.interval(0.9) == pytest.approx(tuple(theirs.confidence_interval(0.9)), abs=1e-9)
        assert 2 * (1 - pooled.cdf(0.0)) == pytest.approx(theirs.pvalue, abs=1e-9)


def test_paule_and_mandels_variance_solves_its_equation():
    y, v = np.array([0.1, 1.4, -0.6, 2.2]), np.array([0.2, 0.1, 0.4, 0.3])
    pooled = pool(y, np.sqrt(v))
    w = 1 / (v + pooled.between_sd**2)
    assert float(w @ (y - w @ y / w.sum()) ** 2) == pytest.approx(3.0, abs=1e-6)
    assert pooled.mean == pytest.approx(float(w @ y / w.sum()))
    assert pooled.se == pytest.approx(np.sqrt(float(w @ (y - pooled.mean) ** 2) / 3 / w.sum()))


def test_an_error_that_all_share_is_not_averaged_away():
    changes = np.linspace(-1.1, -0.9, 50)
    alone = pool(changes, np.full(50, 0.1))
    shared = pool(changes, np.full(50, 0.1), shared_sd=0.5)
    assert alone.se < 0.02
    assert shared.se == pytest.approx(0.5, rel=0.01)


def test_one_person_is_no_group():
    assert pool([1.0], [0.1]) is None
    assert pool([1.0, float("nan")], [0.1, 0.1]) is None


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_mean_of_a_random_effects_model_equals_rs_weighted_mean():
    """Base R alone: uniroot for Paule and Mandel's equation, then Hartung and Knapp's variance."""
    y, v = [0.1, 1.4, -0.6, 2.2, 0.8], [0.2, 0.1, 0.4, 0.3, 0.15]
    script = f"""
    y <- c({",".join(map(str, y))}); v <- c({",".join(map(str, v))})
    q <- function(t) {{ w <- 1/(v+t); m <- sum(w*y)/sum(w); sum(w*(y-m)^2) - (length(y)-1) }}
    t <- uniroot(q, c(0, 100), tol=1e-12)$root
    w <- 1/(v+t); m <- sum(w*y)/sum(w)
    cat(m, sqrt(sum(w*(y-m)^2)/(length(y)-1)/sum(w)))"""
    found = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True, timeout=120)
    mean, se = map(float, found.stdout.split())
    pooled = pool(y, np.sqrt(v))
    assert (pooled.mean, pooled.se) == pytest.approx((mean, se), abs=1e-5)


def test_people_who_agree_by_chance_are_not_surer_than_their_own_errors():
    """Three people with wide errors whose estimates happen to be alike: the t interval alone would be tiny."""
    alike = ([-8.0, -8.1, -7.9], [5.0, 5.0, 5.0])
    naive, honest = pool(*alike, equal_weights=True), pool(*alike, equal_weights=True, own_errors=True)
    assert naive is not None
    assert honest is not None
    assert naive.interval(0.9)[1] < -7.7
    half = 1.6449 * 5 / np.sqrt(3)
    assert honest.interval(0.9) == pytest.approx((-8 - half, -8 + half), abs=1e-3)
    assert honest.cdf(0.0) < naive.cdf(0.0)
    far = ([-20.0, 0.0, 10.0], [1.0, 1.0, 1.0])  # people who differ: nothing changes
    assert pool(*far, equal_weights=True, own_errors=True).interval(0.9) == pool(*far, equal_weights=True).interval(0.9)
