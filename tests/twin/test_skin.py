"""Painted temperatures are the ones asked for, and healthy soles have the published means and spread."""

from __future__ import annotations

import numpy as np
import pytest

from rewarm.regions import SOLE_REGIONS, TOES
from rewarm.twin import (
    SolePose,
    SoleShape,
    SoleTemperatures,
    add_reference,
    cold_temperatures,
    draw_soles,
    healthy_temperatures,
    paint_scene,
    paint_sole,
    random_texture,
    sheet,
    sole_layers,
)

from .conftest import pair_of_soles

ASKED = SoleTemperatures(arch_c=29.0, ball_c=27.0, heel_c=26.5, toe_c=(25.0, 22.5, 23.0, 28.0, 24.0))


def means(maps, skin):
    return {name: float((skin * maps.coverage[name]).sum() / maps.coverage[name].sum()) for name in SOLE_REGIONS}


@pytest.mark.parametrize("seed", range(5))
def test_each_region_gets_the_mean_asked_for_whatever_the_shape(seed: int) -> None:
    maps = pair_of_soles(seed).soles["left"]
    got = means(maps, paint_sole(maps, ASKED))
    wanted = dict(zip(TOES, ASKED.toe_c, strict=True)) | {"ball": 27.0, "arch": 29.0, "heel": 26.5}
    assert got == pytest.approx(wanted, abs=0.01)


def test_healthy_soles_have_the_published_means_spread_and_order_of_toes() -> None:
    """Arch 29.3 ± 0.9, toes 26.2 ± 1.2, whole sole 27.8 ± 1.0 °C; great toe and fifth warmest (10.1155/2015/831369)."""
    maps = draw_soles({"left": (SoleShape(), SolePose(60, 115))}, shape=(120, 120), mm_per_px=2.4).soles["left"]
    weight = {name: float(maps.coverage[name].sum()) for name in (*TOES, "ball", "arch", "heel")}
    toe_weight = np.array([weight[name] for name in TOES])
    people = []
    for seed in range(400):
        drawn = healthy_temperatures(np.random.default_rng(seed))
        toes = float(np.average(drawn.toe_c, weights=toe_weight))
        regions = [*drawn.toe_c, drawn.ball_c, drawn.arch_c, drawn.heel_c]
        people.append([drawn.arch_c, toes, np.average(regions, weights=[*weight.values()]), *drawn.toe_c])
    table = np.array(people)
    np.testing.assert_allclose(table[:, :3].mean(axis=0), [29.3, 26.2, 27.8], atol=0.25)
    np.testing.assert_allclose(table[:, :3].std(axis=0), [0.9, 1.2, 1.0], atol=0.25)
    toes = table[:, 3:].mean(axis=0)
    assert min(toes[0], toes[4]) > max(toes[1:4])
    # and a picture of one of them has the mean that its regions promise
    one = healthy_temperatures(np.random.default_rng(0))
    skin = paint_sole(maps, one)
    assert float((skin * maps.foot).sum() / maps.foot.sum()) == pytest.approx(table[0, 2], abs=0.02)


def test_cold_toes_differ_from_each_other_and_get_colder_to_the_tip() -> None:
    rng = np.random.default_rng(0)
    drawn = [cold_temperatures(rng, ambient_c=22.0) for _ in range(200)]
    toes = np.array([one.toe_c for one in drawn])
    assert toes.min() >= 22.5
    assert toes.max() <= 26.5
    assert np.mean([one.arch_c for one in drawn]) - toes.mean() > 2.5
    assert np.std(toes - toes.mean(axis=1, keepdims=True)) > 0.4
    maps = pair_of_soles(1).soles["right"]
    skin = paint_sole(maps, drawn[0])
    for name in TOES:
        sure = maps.coverage[name] > 0.99
        tip = skin[sure & (maps.toe_s[name] > 0.7)].mean()
        base = skin[sure & (maps.toe_s[name] < 0.4)].mean()
        assert tip < base - 0.3


def test_skin_never_gets_colder_than_its_floor_and_warm_skin_does_not_feel_it() -> None:
    maps = pair_of_soles(2).soles["left"]
    free, floored = paint_sole(maps, ASKED), paint_sole(maps, ASKED, floor_c=23.0)
    inside = maps.foot > 0
    assert free[inside].min() < 22.5
    assert floored[inside].min() >= 23.0
    warm = inside & (free > 26)
    np.testing.assert_allclose(floored[warm], free[warm], atol=0.01)


def test_texture_is_smooth_with_the_spread_asked_for_and_stays_with_the_skin() -> None:
    texture = random_texture(np.random.default_rng(5), sd_c=0.3)
    assert texture.std() == pytest.approx(0.3)
    assert np.diff(texture, axis=0).std() < 0.3 * 0.5
    painted = []
    for pose in (SolePose(120, 200), SolePose(135, 215)):
        maps = draw_soles({"left": (SoleShape(), pose)}).soles["left"]
        painted.append(paint_sole(maps, ASKED, texture=texture) - paint_sole(maps, ASKED))
    np.testing.assert_allclose(painted[0][20:200, 80:160], painted[1][35:215, 95:175], atol=1e-3)


def test_warming_warms_each_toe_by_its_own_amount() -> None:
    warmed = ASKED.warmed((1.0, 2.0, 3.0, 4.0, 5.0), sole_change_c=0.5)
    assert np.subtract(warmed.toe_c, ASKED.toe_c) == pytest.approx([1, 2, 3, 4, 5])
    assert (warmed.arch_c, warmed.ball_c, warmed.heel_c) == pytest.approx((29.5, 27.5, 27.0))


def test_sheet_lies_near_room_temperature_and_a_foot_leaves_a_faint_imprint() -> None:
    foot = pair_of_soles(0).soles["left"].foot
    plain, warm = (
        sheet(np.random.default_rng(4), shape=(240, 320), ambient_c=22.0, imprint=imprint)
        for imprint in (np.zeros_like(foot), foot)
    )
    assert plain.dtype == np.float32
    assert abs(float(plain.mean()) - 22.0) < 0.6
    assert 0.1 < float(plain.std()) < 0.6
    assert 0.2 < float((warm - plain).max()) < 0.8


def test_scene_shows_skin_where_there_is_skin_and_mixes_at_the_rim() -> None:
    drawn = pair_of_soles(0)
    skin = {side: np.full((240, 320), 30, np.float32) for side in ("left", "right")}
    scene = paint_scene(drawn, skin, np.full((240, 320), 20, np.float32))
    foot = drawn.soles["left"].foot + drawn.soles["right"].foot
    np.testing.assert_allclose(scene, 20 + 10 * foot, atol=1e-4)
    assert ((scene > 21) & (scene < 29)).any()
    framed = add_reference(scene, reference_c=35.0, box=(5, 6, 25, 16))
    assert np.all(framed[6:16, 5:25] == 35.0)
    assert framed[5, 5] != 35.0
    assert scene.max() <= 30


def test_layers_paint_what_painting_paints_again_and_again() -> None:
    maps = pair_of_soles(3).soles["right"]
    texture = random_texture(np.random.default_rng(6))
    layers = sole_layers(maps, texture=texture, margin_px=7)
    y0, y1, x0, x1 = layers.box
    assert maps.foot[y0:y1, x0:x1].sum() == pytest.approx(maps.foot.sum())
    for temperatures in (ASKED, ASKED.warmed((3, 2, 1, 0, -1), sole_change_c=-1.5)):
        wanted = paint_sole(maps, temperatures, texture=texture)[y0:y1, x0:x1].ravel()[layers.inside]
        regions = np.array([*temperatures.toe_c, temperatures.ball_c, temperatures.arch_c, temperatures.heel_c])
        np.testing.assert_allclose(layers.painted(regions, temperatures.tip_gradient_c), wanted, atol=2e-3)
