"""rewarm: did the treatment warm the toes, by how much, for how long, and how sure can we be?

The functions below are loaded when they are first used, so that ``import rewarm`` costs almost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rewarm.version import __version__ as __version__

if TYPE_CHECKING:
    from rewarm.anatomy import find_regions as find_regions
    from rewarm.cameras import convert as convert
    from rewarm.cameras import open_thermogram as open_thermogram
    from rewarm.cameras import visible_photo as visible_photo
    from rewarm.errors import RewarmError as RewarmError
    from rewarm.measures import measure as measure
    from rewarm.report import write_report as write_report
    from rewarm.study import check_study as check_study
    from rewarm.study import compare as compare
    from rewarm.study import measure_files as measure_files
    from rewarm.study import run_study as run_study
    from rewarm.twin import simulate_case_series as simulate_case_series

_ROOM_OF = {
    "RewarmError": "rewarm.errors",
    "check_study": "rewarm.study",
    "compare": "rewarm.study",
    "convert": "rewarm.cameras",
    "find_regions": "rewarm.anatomy",
    "measure": "rewarm.measures",
    "measure_files": "rewarm.study",
    "open_thermogram": "rewarm.cameras",
    "run_study": "rewarm.study",
    "simulate_case_series": "rewarm.twin",
    "visible_photo": "rewarm.cameras",
    "write_report": "rewarm.report",
}

__all__ = ["__version__", *_ROOM_OF]


def __getattr__(name: str) -> Any:
    """Import the room of a public function when it is first asked for (PEP 562)."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'rewarm' has no attribute {name!r}")
    return getattr(import_module(_ROOM_OF[name]), name)


def __dir__() -> list[str]:
    """The public names, for help and completion."""
    return sorted(__all__)
