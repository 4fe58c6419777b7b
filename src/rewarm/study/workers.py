"""Many scans measured: in turn, or shared with processes beside this one.

Threads would not do: what they would share is Python's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future

from rewarm.errors import RewarmError
from rewarm.processes import ProcessPool
from rewarm.study.results import ScanResult
from rewarm.study.scan import ScanPlan, measure_scan

Outcome = ScanResult | RewarmError
"""What became of a scan: its measurements, or why it cannot be measured."""

Measurer = Callable[[Sequence[ScanPlan], Callable[[ScanPlan], None]], list[Outcome]]
"""Measures all plans, tells of each when it is done, and returns the outcomes in the plans' order."""

_AHEAD = 2
"""Scans that wait in the queue of each process, so that none is idle and the last ones can still be shared."""


def measure_in_turn(plans: Sequence[ScanPlan], tell: Callable[[ScanPlan], None]) -> list[Outcome]:
    """One scan after the other, in this process."""
    outcomes: list[Outcome] = []
    for plan in plans:
        outcomes.append(_outcome(plan))
        tell(plan)
    return outcomes


def sharing(pool: ProcessPool | None, processes: int) -> Measurer:
    """A measurer that shares the scans with the ``processes`` processes of ``pool``; measures alone where it is None.

    Where one of them dies, this process measures what is left.
    """
    if pool is None:
        return measure_in_turn
    return lambda plans, tell: _measure_shared(pool, processes, plans, tell)


def _measure_shared(
    pool: ProcessPool, count: int, plans: Sequence[ScanPlan], tell: Callable[[ScanPlan], None]
) -> list[Outcome]:
    """This process takes scans from the front, the others from the back, until they meet."""
    given: dict[int, Future[Outcome]] = {}
    outcomes: dict[int, Outcome] = {}
    front, back = 0, len(plans)
    told: set[int] = set()
    while front < back:
        waiting = sum(not future.done() for future in given.values())
        while waiting < _AHEAD * count and back - front > 1:
            back, waiting = back - 1, waiting + 1
            try:
                given[back] = pool.submit(_outcome, plans[back])
            except BrokenExecutor:
                back += 1
                break
        outcomes[front] = _outcome(plans[front])
        told.add(front)
        tell(plans[front])
        front += 1
        for number, future in given.items():
            if future.done() and number not in told:
                told.add(number)
                tell(plans[number])
    for number, future in sorted(given.items(), reverse=True):
        try:
            outcomes[number] = future.result()
        except BrokenExecutor:
            outcomes[number] = _outcome(plans[number])
        if number not in told:
            tell(plans[number])
    return [outcomes[number] for number in range(len(plans))]


def _outcome(plan: ScanPlan) -> Outcome:
    try:
        return measure_scan(plan)
    except RewarmError as error:
        return error
