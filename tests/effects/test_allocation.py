import hashlib
from collections import Counter

import pytest
from scipy.stats import chisquare

from rewarm.effects.allocation import CODE_LETTERS, allocate, allocate_starts, matches_commitment
from rewarm.errors import InvalidInputError

SECRET = "0123456789abcdef"


def test_every_block_holds_the_arms_in_their_ratio():
    drawn = allocate(["toxin", "placebo"], 40, secret=SECRET, ratio=[2, 1], block_sizes=[3, 6])
    blocks: dict[int, Counter[str]] = {}
    for place in drawn.places:
        blocks.setdefault(place.block, Counter())[place.allocated] += 1
    assert all(count["toxin"] == 2 * count["placebo"] for count in blocks.values())
    assert {sum(count.values()) for count in blocks.values()} == {3, 6}
    assert 40 <= len(drawn.places) <= 45


def test_each_stratum_has_its_own_list():
    strata = {"condition": ["primary", "secondary"], "site": ["Basel", "Bern"]}
    drawn = allocate(["a", "b"], 8, secret=SECRET, strata=strata)
    counts = Counter(place.stratum for place in drawn.places)
    assert set(counts) == {
        f"condition {condition}; site {site}" for condition in strata["condition"] for site in strata["site"]
    }
    assert min(counts.values()) >= 8
    orders = {tuple(p.allocated for p in drawn.places if p.stratum == name)[:8] for name in counts}
    assert len(orders) > 1


def test_the_open_list_shows_neither_arms_nor_blocks():
    drawn = allocate(["toxin", "placebo"], 12, secret=SECRET)
    text = drawn.open_list()
    assert "toxin" not in text
    assert "placebo" not in text
    assert text.splitlines()[0] == "stratum,place,code"
    assert SECRET not in text
    assert "4" not in drawn.method
    assert "blocks of 4 or 6" in drawn.restriction
    codes = [place.code for place in drawn.places]
    assert len(set(codes)) == len(codes)
    assert set("".join(codes)) <= set(CODE_LETTERS)


def test_codes_do_not_tell_the_arm():
    drawn = allocate(["a", "b"], 2000, secret=SECRET)
    for letter in CODE_LETTERS:
        arms = Counter(place.allocated for place in drawn.places if place.code[0] == letter)
        assert 0.25 < arms["a"] / sum(arms.values()) < 0.75


def test_the_hash_is_that_of_the_sealed_file_and_any_change_is_found():
    drawn = allocate(["a", "b"], 6, secret=SECRET)
    sealed = drawn.sealed_list()
    assert drawn.commitment() == hashlib.sha256(sealed.encode()).hexdigest()
    assert matches_commitment(sealed, drawn.commitment().upper())
    swapped = sealed.replace(",a\n", ",b\n", 1)
    assert swapped != sealed
    assert not matches_commitment(swapped, drawn.commitment())


def test_the_secret_alone_decides():
    again = allocate(["a", "b"], 20, secret=SECRET)
    assert allocate(["a", "b"], 20, secret=SECRET) == again
    assert allocate(["a", "b"], 20, secret=SECRET + "x").places != again.places


def test_chance_is_fair():
    firsts = Counter(allocate(["a", "b"], 1, secret=f"a secret number {k:04d}").places[0].allocated for k in range(400))
    assert 150 < firsts["a"] < 250


def test_starts_are_used_equally_often():
    drawn = allocate_starts([3, 4, 5], 9, secret=SECRET)
    assert Counter(place.allocated for place in drawn.places) == {"week 3": 3, "week 4": 3, "week 5": 3}
    odd = Counter(place.allocated for place in allocate_starts([3, 4, 5], 11, secret=SECRET).places)
    assert sorted(odd.values()) == [3, 4, 4]
    with pytest.raises(InvalidInputError, match="at least two different starts"):
        allocate_starts([3], 9, secret=SECRET)


def test_no_start_can_be_foretold_from_those_before():
    """Of blocks of three every third start would be the one that is missing."""
    foretold = 0
    for k in range(60):
        drawn = [p.allocated for p in allocate_starts([3, 4, 5], 30, secret=f"a secret number {k:04d}").places]
        foretold += sum(len(set(drawn[i : i + 3])) == 3 for i in range(0, 27, 3))
    assert foretold / (60 * 9) == pytest.approx(2 / 9, abs=0.08)


def test_codes_and_orders_share_nothing():
    """The same secret gives the same codes whatever the arms, ratio and blocks are: they cannot hold the order."""
    one = allocate(["a", "b"], 24, secret=SECRET, block_sizes=[4])
    two = allocate(["toxin", "placebo"], 24, secret=SECRET, ratio=[2, 1], block_sizes=[3, 6])
    assert [p.code for p in one.places] == [p.code for p in two.places][:24]


def test_every_order_of_a_block_is_as_likely():
    orders = Counter(
        "".join(place.allocated for place in allocate(["a", "b"], 4, secret=f"a secret number {k:04d}",
                                                      block_sizes=[4]).places)
        for k in range(1200)
    )  # fmt: skip
    assert len(orders) == 6
    assert chisquare(list(orders.values())).pvalue > 1e-3


def test_strata_are_drawn_apart():
    """Agreement between the lists of two strata is that of chance."""
    drawn = allocate(["a", "b"], 2000, secret=SECRET, strata={"site": ["Basel", "Bern"]})
    basel, bern = ([p.allocated for p in drawn.places if p.stratum == f"site {name}"] for name in ("Basel", "Bern"))
    agree = sum(x == y for x, y in zip(basel, bern, strict=False)) / min(len(basel), len(bern))
    assert agree == pytest.approx(0.5, abs=0.04)


def test_everything_wrong_is_told_together():
    with pytest.raises(InvalidInputError) as caught:
        allocate(["a"], 0, secret="short", ratio=[1, 1])
    for part in ("arms: expected at least two", "ratio: expected", "places: expected at least 1", "secret: expected"):
        assert part in str(caught.value)
    with pytest.raises(InvalidInputError, match=r"block_sizes: expected multiples of 2, the ratio's sum; found \[3\]"):
        allocate(["a", "b"], 4, secret=SECRET, block_sizes=[3])
