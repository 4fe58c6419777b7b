"""Two visits that differ in one known respect at a time."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from rewarm.measures import (
    Circumstances,
    Difference,
    Setting,
    comparability,
    picture_parts,
    review_picture,
    u_change_c,
)
from rewarm.thermogram import CameraIdentity, ObjectParameters

CAMERA = CameraIdentity(
    camera_make="FLIR", camera_model="T540", camera_serial="1", lens="25 deg", acquired_at="2026-01-12T10:00:00",
    accuracy_c=2.0, field_of_view_deg=25.0,
)  # fmt: skip
SETTINGS = ObjectParameters(emissivity=0.98, reflected_c=22.0, distance_m=0.9)
RECORDED = Circumstances(
    ambient_c=22.0, humidity_pct=45.0, settling_min=20.0, outdoor_mean_c=4.0, exercise=False, smoking=False,
    caffeine=False,
)  # fmt: skip


@pytest.fixture
def visit(pictures: Any) -> Any:
    def one(
        *,
        camera: CameraIdentity = CAMERA,
        settings: ObjectParameters = SETTINGS,
        blur_px: float = 0.6,
        reference_u_c: float | None = None,
        mm_per_px: float = 1.25,
        **recorded: Any,
    ) -> Setting:
        scene, regions = pictures.soles(1, mm_per_px=mm_per_px)
        still = pictures.still(pictures.seen(scene, blur_px=blur_px), camera=camera, parameters=settings)
        if reference_u_c is not None:
            still = still.assign_attrs(reference_u_c=reference_u_c)
        review = review_picture(still, regions, circumstances=replace(RECORDED, **recorded))
        return Setting(still, regions, review)

    return one


def by_id(before: Setting, after: Setting) -> dict[str, Difference]:
    found = comparability(before, after)
    assert len({item.id for item in found}) == len(found)
    return {item.id: item for item in found}


def test_like_visits_are_alike_but_for_the_missing_reference(visit: Any) -> None:
    found = by_id(visit(), visit())
    assert {name for name, item in found.items() if item.likeness != "alike"} == {"reference"}
    accuracy_alone_c = 2.0 * sqrt(2 / 3)  # twice ±2 °C, rectangular
    parts = picture_parts(visit().thermogram)
    assert found["reference"].u_c == pytest.approx(u_change_c(parts, parts))
    assert accuracy_alone_c < found["reference"].u_c < 1.2 * accuracy_alone_c
    assert f"u {found['reference'].u_c:.2f} °C" in found["reference"].effect


def test_references_in_both_tie_the_visits_together(visit: Any) -> None:
    tied = by_id(visit(reference_u_c=0.2), visit(reference_u_c=0.15))["reference"]
    assert (tied.likeness, tied.before, tied.after) == ("alike", "yes", "yes")
    assert tied.u_c == pytest.approx(0.25)
    assert by_id(visit(reference_u_c=0.2), visit())["reference"].likeness == "differs"


@pytest.mark.parametrize(
    ("name", "change", "before", "after", "difference"),
    [
        ("camera", {"camera": replace(CAMERA, camera_serial="2")}, "FLIR T540 (serial 1)", "FLIR T540 (serial 2)", ""),
        ("lens", {"camera": replace(CAMERA, lens="45 deg")}, "25 deg", "45 deg", ""),
        ("emissivity", {"settings": replace(SETTINGS, emissivity=0.95)}, "0.980", "0.950", "−0.030"),
        ("reflected", {"settings": replace(SETTINGS, reflected_c=27.0)}, "22.0 °C", "27.0 °C", "+5.0 °C"),
        ("pixel_size", {"settings": replace(SETTINGS, distance_m=1.15)}, "1.25 mm", "1.59 mm", "+28 %"),
        ("room", {"ambient_c": 23.5}, "22.0 °C", "23.5 °C", "+1.5 °C"),
        ("outdoors", {"outdoor_mean_c": -2.0}, "4.0 °C", "−2.0 °C", "−6.0 °C"),
        ("humidity", {"humidity_pct": 65.0}, "45 %", "65 %", "+20 %"),
        ("settling", {"settling_min": 5.0}, "20 min", "5 min", "−15 min"),
        ("beforehand", {"smoking": True}, "none", "smoking", ""),
        ("time_of_day", {"camera": replace(CAMERA, acquired_at="2026-03-01T15:30:00")}, "10:00", "15:30", "+5.5 h"),
    ],
)
def test_what_differs_is_named_with_its_figures(
    visit: Any, name: str, change: dict[str, Any], before: str, after: str, difference: str
) -> None:
    found = by_id(visit(), visit(**change))
    assert {item for item, value in found.items() if value.likeness == "differs"} == {"reference", name}
    item = found[name]
    assert (item.before, item.after, item.difference) == (before, after, difference)
    assert item.limit
    assert item.effect


def test_what_is_not_recorded_is_unknown(visit: Any) -> None:
    bare = ObjectParameters()
    nothing = {"ambient_c": None, "humidity_pct": None, "settling_min": None, "outdoor_mean_c": None, "smoking": None}
    found = by_id(visit(), visit(camera=CameraIdentity(), settings=bare, **nothing))
    assert {name for name, item in found.items() if item.likeness == "unknown"} == {
        "camera", "lens", "emissivity", "reflected", "pixel_size", "room", "outdoors", "humidity", "settling",
        "beforehand", "time_of_day",
    }  # fmt: skip


def test_another_emissivity_moves_a_toe_by_what_the_formula_says(visit: Any) -> None:
    before, after = visit(), visit(settings=replace(SETTINGS, emissivity=0.95))
    item = by_id(before, after)["emissivity"]
    toes = [region.mask for region in after.regions.found if region.region.startswith("toe")]
    toe_c = float(after.thermogram["temperature"].to_numpy()[np.any(toes, axis=0)].mean())
    assert item.shift_c == pytest.approx((toe_c - 22.0) * 0.03 / 0.95, rel=1e-6)
    assert item.shift_c > 0  # the same signal with a lower emissivity reads warmer
    assert f"{item.shift_c:+.2f} °C" in item.effect


def test_another_reflected_temperature_moves_a_toe_a_little(visit: Any) -> None:
    item = by_id(visit(), visit(settings=replace(SETTINGS, reflected_c=27.0)))["reflected"]
    assert item.shift_c == pytest.approx(-5 * 0.02 / 0.98)


def test_a_blurred_picture_differs_in_sharpness(visit: Any) -> None:
    item = by_id(visit(), visit(blur_px=2.0))["sharpness"]
    assert item.likeness == "differs"
    assert item.before.startswith("1.")
    assert item.after.startswith("5.")


def test_smaller_toes_are_less_certain(visit: Any) -> None:
    item = by_id(visit(), visit(mm_per_px=2.5))["toe_pixels"]
    assert item.likeness == "differs"
    assert item.u_c is not None
    assert item.u_c > by_id(visit(), visit())["toe_pixels"].u_c  # type: ignore[operator]


def test_feet_that_are_turned_are_seen(visit: Any) -> None:
    before, after = visit(), visit()
    turned = tuple(
        replace(item, mask=ndimage.rotate(item.mask, 20, reshape=False, order=0)) for item in after.regions.items
    )  # counter-clockwise as seen
    item = by_id(before, replace(after, regions=replace(after.regions, items=turned)))["pose"]
    assert item.likeness == "differs"
    assert float(item.difference.replace("−", "-").rstrip("°")) == pytest.approx(-20, abs=2)


def test_round_midnight_the_short_way_counts(visit: Any) -> None:
    late = visit(camera=replace(CAMERA, acquired_at="2026-01-12T23:30:00"))
    early = visit(camera=replace(CAMERA, acquired_at="2026-01-13T00:30:00"))
    assert by_id(late, early)["time_of_day"].difference == "+1.0 h"
