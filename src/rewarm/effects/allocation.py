"""Who gets what, by chance: blocks and strata, a sealed list, and a hash that is published before the first person.

The open list holds codes, the sealed one what each code means. The sealed list begins with a secret number from which
it was drawn, so that nobody can find the list by trying, and everybody can check afterwards: its SHA-256 was in the
open from the start. Sizes, orders and codes are each an HMAC-SHA-256 of the secret (RFC 2104, doi 10.17487/RFC2104):
no number of open codes tells anything of the orders, as the outputs of an ordinary generator would.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from rewarm.errors import InvalidInputError

T = TypeVar("T")

CODE_LETTERS: Final = "ACDEFHJKLMNPRTUVWXY3479"
"""Letters and digits that are not taken for one another when read aloud or written by hand."""
_CODE_LENGTH: Final = 5
LEAST_SECRET: Final = 16
"""Characters of a secret. The codes are open and follow from it, so that a short one could be found by trying."""


@dataclass(frozen=True)
class Place:
    """One place of the list: its number within the stratum, its code, and (sealed) what it gets, in which block."""

    stratum: str
    place: int
    code: str
    allocated: str
    block: int


@dataclass(frozen=True)
class Allocation:
    """A list: places in order, the secret it was drawn from, and in words how.

    ``method`` may be published; ``restriction`` (the blocks' sizes) must not be known to those who enrol, who could
    foretell the end of a block.
    """

    places: tuple[Place, ...]
    secret: str
    method: str
    restriction: str = ""

    def open_list(self) -> str:
        """CSV for those who enrol: stratum, place and code; no arms, nor blocks, from which arms could be guessed."""
        return _csv(["stratum", "place", "code"], [[p.stratum, p.place, p.code] for p in self.places])

    def sealed_list(self) -> str:
        """CSV for whoever keeps the secret: what each code means. Its first line is the secret."""
        rows = [[p.stratum, p.place, p.code, p.block, p.allocated] for p in self.places]
        return f"# secret {self.secret}\n" + _csv(["stratum", "place", "code", "block", "allocated"], rows)

    def commitment(self) -> str:
        """SHA-256 of the sealed list's bytes, 64 hexadecimal digits."""
        return hashlib.sha256(self.sealed_list().encode()).hexdigest()


def allocate(
    arms: Sequence[str],
    places: int,
    *,
    secret: str,
    ratio: Sequence[int] | None = None,
    block_sizes: Sequence[int] | None = None,
    strata: Mapping[str, Sequence[str]] | None = None,
) -> Allocation:
    """Permuted blocks of randomly chosen sizes, one list a stratum, ``places`` places in each.

    ``ratio`` are the arms' shares (1 each where not given); ``block_sizes`` must be multiples of their sum (twice and
    three times it where not given); ``strata`` maps each factor to its levels, and every combination is a stratum. The
    last block is whole, so that a list may be a little longer than asked for. The same secret gives the same list.

    Raises :class:`InvalidInputError`, naming everything that is wrong.
    """
    shares = [1] * len(arms) if ratio is None else list(ratio)
    _check(arms, places, secret, shares, block_sizes)
    unit = sum(shares)
    sizes = [2 * unit, 3 * unit] if block_sizes is None else list(block_sizes)
    found: list[Place] = []
    codes = _codes(secret)
    for stratum in _strata(strata or {}):
        place = block = 0
        while place < places:
            block += 1
            content = [arm for arm, share in zip(arms, shares, strict=True) for _ in range(share)]
            content *= sizes[_number(secret, "size", stratum, block) % len(sizes)] // unit
            for arm in _shuffled(content, secret, stratum, block):
                place += 1
                found.append(Place(stratum, place, next(codes), arm, block))
    words = f"Permuted blocks of randomly chosen sizes, {':'.join(map(str, shares))} ({', '.join(arms)})"
    if strata:
        words += f", stratified by {' and '.join(strata)}"
    return Allocation(tuple(found), secret, words, f"blocks of {' or '.join(map(str, sizes))}")


def allocate_starts(starts: Sequence[float], places: int, *, secret: str) -> Allocation:
    """A randomised start for each person: each start equally often, as far as the number of places allows (weeks).

    The whole list is one block. Of blocks as short as there are starts, whose ends everybody could see, the last start
    would be known before it is drawn.

    Raises :class:`InvalidInputError` for fewer than two starts.
    """
    if len(set(starts)) < 2:
        raise InvalidInputError(
            f"start_weeks: expected at least two different starts that chance can choose from; found {list(starts)}. "
            "Name more weeks"
        )
    left_over = _shuffled(list(starts), secret, "left over", 0)[: places % len(starts)]
    weeks = _shuffled([*(list(starts) * (places // len(starts))), *left_over], secret, "all", 1)
    codes = _codes(secret)
    found = tuple(Place("all", i + 1, next(codes), f"week {week:g}", 1) for i, week in enumerate(weeks))
    names = ", ".join(f"{week:g}" for week in starts)
    return Allocation(found, secret, f"Start of the treatment drawn without replacement from weeks {names}")


def matches_commitment(sealed: str, commitment: str) -> bool:
    """Whether a sealed list is the one whose hash was published."""
    return hashlib.sha256(sealed.encode()).hexdigest() == commitment.strip().lower()


def allocation_troubles(
    arms: Sequence[str], shares: Sequence[int], block_sizes: Sequence[int] | None, secret: str | None
) -> list[str]:
    """What is wrong with how a list is to be drawn, a sentence each: expected, found, what to do."""
    troubles = []
    if len(set(arms)) != len(arms) or len(arms) < 2:
        troubles.append(f"arms: expected at least two different names; found {list(arms)}. Name each arm once")
    if len(shares) != len(arms) or any(share < 1 for share in shares):
        troubles.append(
            f"ratio: expected a whole number from 1 for each of {len(arms)} arms; found {list(shares)}. "
            f"Write e.g. {[1] * max(len(arms), 2)}"
        )
    elif block_sizes is not None and (not block_sizes or any(size < 1 or size % sum(shares) for size in block_sizes)):
        unit = sum(shares)
        troubles.append(
            f"block_sizes: expected multiples of {unit}, the ratio's sum; found {list(block_sizes)}. "
            f"Write e.g. {[2 * unit, 3 * unit]}, or leave it out"
        )
    if secret is not None and len(secret) < LEAST_SECRET:
        troubles.append(
            f"secret: expected at least {LEAST_SECRET} characters, which nobody can find by trying; found "
            f"{len(secret)}. Leave it out (the computer then draws one), or write a longer one"
        )
    return troubles


def _check(
    arms: Sequence[str], places: int, secret: str, shares: Sequence[int], block_sizes: Sequence[int] | None
) -> None:
    troubles = allocation_troubles(arms, shares, block_sizes, secret)
    if places < 1:
        troubles.append(f"places: expected at least 1; found {places}. Ask for as many as there will be people")
    if troubles:
        raise InvalidInputError("allocation: " + "; ".join(troubles))


def _strata(strata: Mapping[str, Sequence[str]]) -> list[str]:
    if not strata:
        return ["all"]
    return ["; ".join(f"{name} {level}" for name, level in zip(strata, levels, strict=True))
            for levels in itertools.product(*strata.values())]  # fmt: skip


def _number(secret: str, *what: object) -> int:
    """A number below 2²⁵⁶ that only the secret tells, another one for each thing asked."""
    message = json.dumps(["rewarm allocation", *what])
    return int.from_bytes(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest(), "big")


def _shuffled(content: Sequence[T], secret: str, stratum: str, block: int) -> list[T]:
    order = sorted(range(len(content)), key=lambda i: _number(secret, "order", stratum, block, i))
    return [content[i] for i in order]


def _codes(secret: str) -> Iterator[str]:
    """Endless different codes."""
    seen: set[str] = set()
    for i in itertools.count():
        number, letters = _number(secret, "code", i), []
        for _ in range(_CODE_LENGTH):
            number, letter = divmod(number, len(CODE_LETTERS))
            letters.append(CODE_LETTERS[letter])
        code = "".join(letters)
        if code not in seen:
            seen.add(code)
            yield code


def _csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in [header, *rows])
