"""A small study that is right in every respect: one person, both soles, before and six weeks after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rewarm.twin.phantom import SolePose, SoleShape, draw_soles
from rewarm.twin.skin import SoleTemperatures, paint_scene, paint_sole

SHAPE = (120, 160)

STUDY_TOML = """\
id = "toes"
title = "Warm toes"
timezone = "Europe/Zurich"

[design]
kind = "case_series"
control = "none"

[camera.E60]
model = "FLIR E60"
accuracy_c = 2.0
netd_mk = 50
pixels = [160, 120]
"""
PARTICIPANTS = """\
participant,sex,birth_year,condition,notes
P1,female,1970,secondary_raynaud,"cold toes, both feet"
"""
VISITS = """\
participant,visit,date,ambient_c,humidity_pct,settling_min
P1,before,2026-01-12,23.1,40,20
P1,week06,2026-02-23T09:30+01:00,23.4,,20
"""
SCANS = """\
participant,visit,scan,file,limb,view,phase,camera,emissivity
P1,before,P1-before,thermograms/before.npy,feet,plantar,rest,E60,0.98
P1,week06,P1-week06,thermograms/week06.npy,feet,plantar,rest,E60,0.98
"""


def soles_c(*, toes_c: float, turn_deg: float = 0.0) -> NDArray[np.float32]:
    """Two soles whose toes all have ``toes_c``, °C, float32 (120, 160)."""
    toes = (toes_c, toes_c, toes_c, toes_c, toes_c)
    skin = SoleTemperatures(arch_c=30.0, ball_c=28.5, heel_c=28.0, toe_c=toes, tip_gradient_c=0.0)
    poses = {"left": SolePose(105.0, 110.0, turn_deg), "right": SolePose(55.0, 110.0, turn_deg)}
    drawn = draw_soles({side: (SoleShape(), pose) for side, pose in poses.items()}, shape=SHAPE, mm_per_px=2.5)
    painted = {side: paint_sole(maps, skin) for side, maps in drawn.soles.items()}
    return paint_scene(drawn, painted, np.full(SHAPE, 22.0, dtype=np.float32))


@pytest.fixture(scope="session")
def pictures() -> dict[str, NDArray[np.float32]]:
    return {"before": soles_c(toes_c=25.0), "week06": soles_c(toes_c=27.5, turn_deg=2.0)}


@pytest.fixture
def study(tmp_path: Path, pictures: dict[str, NDArray[np.float32]]) -> Path:
    """The folder of a study without any problem."""
    folder = tmp_path / "my-study"
    (folder / "thermograms").mkdir(parents=True)
    tables = {
        "study.toml": STUDY_TOML,
        "participants.csv": PARTICIPANTS,
        "visits.csv": VISITS,
        "scans.csv": SCANS,
    }
    for name, text in tables.items():
        (folder / name).write_bytes(text.encode())
    for name, picture in pictures.items():
        np.save(folder / "thermograms" / f"{name}.npy", picture)
    return folder


DIARY = """\
participant,date,side,rcs,attacks_n,attack_minutes
P1,2026-01-12,,4,2,30
P1,2026-01-13,,5,1,10
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The folder of a study without recordings, whose diary stands in for them; nothing is wrong with it."""
    folder = tmp_path / "tables-only"
    folder.mkdir()
    texts = {"study.toml": STUDY_TOML, "participants.csv": PARTICIPANTS, "visits.csv": VISITS, "diary.csv": DIARY}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    return folder
