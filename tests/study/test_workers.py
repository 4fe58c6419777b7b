"""Scans shared between processes: the same result as in turn, told one by one, whatever happens to a process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rewarm.errors import RewarmError, UnreadableFileError
from rewarm.processes import ProcessPool, process_pool
from rewarm.study.results import ScanResult
from rewarm.study.scan import ScanPlan
from rewarm.study.workers import Outcome, measure_in_turn, sharing


@pytest.fixture
def plans(tmp_path: Path) -> list[ScanPlan]:
    """Five plans; the file of the fourth is missing."""
    made = []
    for number in range(5):
        path = tmp_path / f"{number}.npy"
        if number != 3:
            np.save(path, np.full((40, 50), 20.0 + number, dtype=np.float32))
        made.append(ScanPlan(path=path, scan=f"scan{number}"))
    return made


def same(one: Outcome, other: Outcome) -> bool:
    if isinstance(one, RewarmError) or isinstance(other, RewarmError):
        return type(one) is type(other) and str(one) == str(other)
    pd.testing.assert_frame_equal(one.measurements, other.measurements)
    return one.thermogram.identical(other.thermogram) and one.warnings == other.warnings


def test_shared_scans_come_in_order_and_equal_those_measured_in_turn(plans: list[ScanPlan]) -> None:
    alone, told_alone, told = [], [], []
    alone = measure_in_turn(plans, lambda plan: told_alone.append(plan.scan))
    with process_pool(1, preload="rewarm.study.scan") as pool:
        shared = sharing(pool, 1)(plans, lambda plan: told.append(plan.scan))
    assert [type(outcome) for outcome in shared] == [ScanResult] * 3 + [UnreadableFileError, ScanResult]
    assert all(same(*both) for both in zip(alone, shared, strict=True))
    assert told_alone == [plan.scan for plan in plans]
    assert sorted(told) == sorted(told_alone)


def test_without_other_processes_scans_are_measured_in_turn() -> None:
    assert sharing(None, 3) is measure_in_turn


def test_a_process_that_dies_costs_no_scan(plans: list[ScanPlan]) -> None:
    with process_pool(1, preload="rewarm.study.scan") as pool:
        assert isinstance(pool, ProcessPool)
        pool.submit(os._exit, 1)
        outcomes = sharing(pool, 1)(plans, lambda _plan: None)
    assert [type(outcome) for outcome in outcomes] == [ScanResult] * 3 + [UnreadableFileError, ScanResult]


def test_no_scans_are_no_outcomes() -> None:
    with process_pool(1, preload="rewarm.study.scan") as pool:
        assert sharing(pool, 1)([], lambda _plan: None) == []
