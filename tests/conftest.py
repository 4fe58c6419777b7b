"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings, which are not part of the project; tests that need them skip without it."""
    named = os.environ.get("REWARM_REAL_DATA")
    folder = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real recordings absent: no folder {folder}; name one with REWARM_REAL_DATA")
    return folder
