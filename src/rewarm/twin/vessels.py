"""Digits in a room and after cold water: vessel control and heat together, with every signal kept as truth.

The tone of a digit follows

    tone → drive · (1 − nerve block) · (1 + sensitisation · cold) + local cold · cold + structure − feedback − dilation

with cold = (30 °C − skin) / 10 °C where the skin is colder. The drive is the person's: higher in a cooler room, higher
for a while after cold water (reflex), and never quite still. The feedback is a control loop with five parameters, as
Mariotti, Romani and Merla describe finger rewarming (doi 10.1007/s10439-009-9788-9): a set point, a gain, a delay, a
time of activation and a most; the loop's form is theirs in outline, its figures are chosen here (their values could not
be read). Flow falls from most to least exponentially with tone. The skin's temperature comes from
:mod:`rewarm.heat`; the foot or hand that the digits grow on is two lumps with JOS-3's figures (see ``limbs.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rewarm.errors import InvalidInputError
from rewarm.heat import (
    Digits,
    DigitState,
    Surroundings,
    after_jump,
    make_digits,
    settled,
    skin_c,
    step_digits,
)
from rewarm.twin.challenge import NO_BLOCK, Block, Challenge, DigitCourses
from rewarm.twin.groups import Vessels
from rewarm.twin.limbs import LimbState, settled_limb, step_limb

Floats = NDArray[np.float64]

__all__ = ["NO_BLOCK", "Block", "Challenge", "DigitCourses", "bypass_of_tone", "flow_of_tone", "simulate_digits"]

COLD_BELOW_C: Final = 30.0
_USUAL_ROOM_C: Final = 25.0
_BYPASS_TO_TIP: Final = (0.4, 0.7, 1.0, 1.3, 1.6)
"""Anastomoses are densest in the pulp and under the nail (profile chosen); capillaries are even along the digit."""
_TONE_S: Final = 20.0
_FLOW_STEEPNESS: Final = 6.0
_USUAL_RADIUS_MM: Final = 8.5
_STIR: Final = 0.14
_STIR_S: Final = 40.0
_LOCAL_STIR: Final = 0.05
_LOCAL_STIR_S: Final = 20.0
_DIGIT_AIR_W_M2K: Final = {"foot": (9.0, 7.5, 7.0, 7.0, 7.5), "hand": (10.0, 9.5, 9.5, 9.5, 10.0)}
"""Digits lose more to still air than a whole foot (8.98 in JOS-3) because they are thin, less where they see each other
(chosen)."""
_BAGGED_W_M2K: Final = 90.0
_BARE_WATER_W_M2K: Final = 250.0
_INSENSIBLE_W_M2: Final = 5.0
_SETTLING_STEP_S: Final = 15.0
_VISITS_AT_ONCE: Final = 100
"""So many visits (1000 digits) are stepped together: their arrays stay in the processor's cache."""


@dataclass(eq=False)
class _Moment:
    """Everything that moves, for digits in one row: arrays (digits,), the limbs' (limbs,), the drive's (visits,)."""

    heat: DigitState
    limb: LimbState
    tone: Floats
    feedback: Floats
    stir: Floats
    local_stir: Floats
    past_skin_c: Floats
    reflex: Floats
    skin_c: Floats
    profile_c: Floats
    flow: Floats
    bypass: Floats
    sweat: Floats
    drive: Floats
    newest: int = 0


@dataclass(frozen=True, eq=False)
class _Setting:
    """What stays: parameters of digits in one row, room by digit and by limb, what is blocked."""

    vessels: Vessels
    digits: Digits
    room_c: Floats
    air_w_m2k: Floats
    limb_room_c: Floats
    extra_drive: Floats
    block: Block


def simulate_digits(
    rng: np.random.Generator,
    vessels: Vessels,
    challenge: Challenge,
    *,
    room_c: Floats | float = 23.0,
    extra_drive: Floats | float = 0.0,
    block: Block = NO_BLOCK,
    step_s: float = 2.0,
) -> DigitCourses:
    """Simulate the digits of many people and visits at once.

    ``room_c`` and ``extra_drive`` (season, stress; added to the sympathetic drive) broadcast to (people, visits). The
    same generator state gives the same courses. Raises :class:`rewarm.errors.InvalidInputError` where the challenge's
    times are not multiples of ``step_s``.
    """
    _check(challenge, step_s)
    people, visits = vessels.shape[:2]
    count = people * visits
    rows = _rows(vessels)
    room = np.broadcast_to(np.asarray(room_c, float), (people, visits)).reshape(count)
    extra = np.broadcast_to(np.asarray(extra_drive, float), (people, visits)).reshape(count)
    blocked = [np.broadcast_to(a, vessels.shape).reshape(count, 10) for a in (block.nerve, block.dilation, block.sweat)]
    parts = []
    for first in range(0, count, _VISITS_AT_ONCE):
        some = slice(first, first + _VISITS_AT_ONCE)
        setting = _setting(rows, some, room, extra, Block(*(a[some].ravel() for a in blocked)))
        parts.append(_run(rng, setting, challenge, step_s))
    time_s = parts[0].time_s
    joined = {f.name: np.concatenate([getattr(p, f.name) for p in parts], 1) for f in fields(DigitCourses)[1:]}
    lead = (len(time_s), people, visits)
    ends = {"drive": (), "dorsum_c": (2,), "profile_c": (2, 5, -1)}
    shaped = {name: a.reshape(*lead, *ends.get(name, (2, 5))) for name, a in joined.items()}
    return DigitCourses(time_s=time_s, **shaped)


def bypass_of_tone(vessels: Vessels, tone: Floats) -> Floats:
    """What of the flow goes through arteriovenous anastomoses, mL/100 mL/min.

    Capillaries get the least flow and up to four times as much when open (chosen); anastomoses carry the rest, and none
    where the digit is shut.
    """
    capillaries = vessels.least_flow * (1 + 3 * _openness(tone)) * _USUAL_RADIUS_MM / vessels.radius_mm
    return np.asarray(np.maximum(flow_of_tone(vessels, tone) - capillaries, 0.0))


def _openness(tone: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(_FLOW_STEEPNESS * (tone - 0.5))))


def _check(challenge: Challenge, step_s: float) -> None:
    for name in ("immersion_s", "baseline_s", "follow_s", "frame_s"):
        value = getattr(challenge, name)
        if value < 0 or abs(value / step_s - round(value / step_s)) > 1e-6:
            raise InvalidInputError(
                f"cold challenge, {name}: expected a multiple of the step of {step_s:g} s, found {value:g}. Round it"
            )


def flow_of_tone(vessels: Vessels, tone: Floats) -> Floats:
    """Flow at a tone, mL/100 mL/min: most where open, least where shut, evenly on a logarithmic scale between.

    Skin vessels go with the skin, so a thin digit has more flow for its volume: most and least are those of a digit of
    8.5 mm radius.
    """
    flow = vessels.least_flow * (vessels.most_flow / vessels.least_flow) ** _openness(tone)
    return np.asarray(flow * _USUAL_RADIUS_MM / vessels.radius_mm)


def _rows(vessels: Vessels) -> Vessels:
    """Arrays (visits, 10), whatever came."""
    count = vessels.shape[0] * vessels.shape[1]
    arrays = {f.name: getattr(vessels, f.name).reshape(count, 10) for f in fields(vessels) if f.name != "limb"}
    return replace(vessels, **arrays)


def _setting(rows: Vessels, some: slice, room: Floats, extra: Floats, block: Block) -> _Setting:
    chosen = rows.chosen(some)
    flat = replace(chosen, **{f.name: getattr(chosen, f.name).ravel() for f in fields(chosen) if f.name != "limb"})
    return _Setting(
        vessels=flat,
        digits=make_digits(flat.radius_mm, flat.length_mm, along_flow=(1.0,) * len(_BYPASS_TO_TIP)),
        room_c=np.repeat(room[some], 10),
        air_w_m2k=np.tile(_DIGIT_AIR_W_M2K[rows.limb], flat.drive.size // 5),
        limb_room_c=np.repeat(room[some], 2),
        extra_drive=np.repeat(extra[some], 10),
        block=block,
    )


def _run(rng: np.random.Generator, setting: _Setting, challenge: Challenge, step_s: float) -> DigitCourses:
    """Settle, record the baseline, immerse, record the rewarming."""
    moment = _settle(rng, setting, challenge, step_s)
    air = _air(setting)
    every = max(round(challenge.frame_s / step_s), 1)
    times: list[float] = []
    frames: list[dict[str, Floats]] = []

    def keep(time: float) -> None:
        times.append(time)
        frames.append(_frame(moment))

    steps = round(challenge.baseline_s / step_s)
    before = -challenge.immersion_s - steps * step_s
    for i in range(steps):
        if i % every == 0:
            keep(before + i * step_s)
        _advance(rng, setting, moment, air, step_s)
    if challenge.immersion_s > 0:
        keep(-challenge.immersion_s)
        _immerse(rng, setting, moment, challenge, step_s)
    keep(0.0)
    for i in range(1, round(challenge.follow_s / step_s) + 1):
        _advance(rng, setting, moment, air, step_s, jumped=challenge.immersion_s > 0 and i <= 2)
        if i % every == 0:
            keep(i * step_s)
    return DigitCourses(
        time_s=np.array(times), **{name: np.stack([f[name] for f in frames]).astype(np.float32) for name in frames[0]}
    )


def _frame(moment: _Moment) -> dict[str, Floats]:
    visits = moment.drive.size // 10
    return {
        "skin_c": moment.skin_c.reshape(visits, 10),
        "profile_c": np.moveaxis(moment.profile_c, 0, -1).reshape(visits, 10, -1),
        "dorsum_c": moment.limb.skin_c.reshape(visits, 2),
        "drive": moment.drive.reshape(visits, 10).mean(axis=1),
        "tone": moment.tone.reshape(visits, 10),
        "flow_ml_100ml_min": moment.flow.reshape(visits, 10),
        "bypass_ml_100ml_min": moment.bypass.reshape(visits, 10),
        "sweat_w_m2": moment.sweat.reshape(visits, 10),
    }


def _air(setting: _Setting) -> Surroundings:
    return Surroundings(setting.room_c, setting.air_w_m2k)


def _settle(rng: np.random.Generator, setting: _Setting, challenge: Challenge, step_s: float) -> _Moment:
    """From a steady guess through the settling time, by long steps."""
    v = setting.vessels
    drive = _resting_drive(setting)
    tone = np.clip(drive * (1 - setting.block.nerve) + v.structure - setting.block.dilation, 0, 1)
    flow, bypass = flow_of_tone(v, tone), bypass_of_tone(v, tone)
    limb = settled_limb(v.limb, setting.limb_room_c, drive=_by_limb(drive), digit_flow_w_k=_blood(setting, flow))
    heat = settled(
        setting.digits,
        Surroundings(setting.room_c, setting.air_w_m2k, _INSENSIBLE_W_M2),
        flow_ml_100ml_min=_along(flow, bypass),
        inlet_c=np.repeat(limb.inlet_c, 5),
        base_c=np.repeat(limb.core_c, 5),
        tolerance_c=0.02,
    )
    profile = skin_c(setting.digits, heat, _air(setting))
    zeros = np.zeros_like(flow)
    longest = int(np.ceil(v.delay_s.max() / step_s)) + 1
    skin = profile[-2:].mean(axis=0)
    moment = _Moment(
        heat=heat,
        limb=limb,
        tone=tone,
        feedback=np.clip(v.gain_per_c * (v.set_point_c - skin), 0, v.most_dilation),
        stir=rng.normal(size=flow.size // 10),
        local_stir=rng.normal(size=flow.size),
        past_skin_c=np.tile(skin, (longest, 1)),
        reflex=zeros,
        skin_c=skin,
        profile_c=profile,
        flow=flow,
        bypass=bypass,
        sweat=zeros,
        drive=drive,
    )
    for _ in range(round(challenge.settling_s / _SETTLING_STEP_S)):
        _advance(rng, setting, moment, _air(setting), _SETTLING_STEP_S, settling=True)
    moment.past_skin_c[:] = moment.skin_c
    return moment


def _immerse(rng: np.random.Generator, setting: _Setting, moment: _Moment, challenge: Challenge, step_s: float) -> None:
    """Into the water and out again; the reflex begins at once."""
    coefficient = _BAGGED_W_M2K if challenge.bagged else _BARE_WATER_W_M2K
    water = Surroundings(np.full_like(setting.room_c, challenge.water_c), coefficient)
    depth = np.clip((25.0 - challenge.water_c) / 10.0, 0.0, 2.0)
    moment.reflex = setting.vessels.reflex * depth
    for i in range(round(challenge.immersion_s / step_s)):
        _advance(rng, setting, moment, water, step_s, wet=True, jumped=i < 2)


def _resting_drive(setting: _Setting) -> Floats:
    """None at all is left at ``no_drive_c``, nor does it more than double in the cold."""
    v = setting.vessels
    cool = (v.no_drive_c - setting.room_c) / (v.no_drive_c - _USUAL_ROOM_C)
    return np.asarray(np.maximum(v.drive * np.clip(cool, 0.0, 2.0) + setting.extra_drive, 0.0))


def _by_limb(values: Floats) -> Floats:
    return np.asarray(values.reshape(-1, 5).mean(axis=1))


def _blood(setting: _Setting, flow: Floats) -> Floats:
    """What the digits' blood carries through each limb, W/K, (limbs,)."""
    return np.asarray((640.0 * flow * setting.digits.volume_m3).reshape(-1, 5).sum(axis=1))


def _advance(
    rng: np.random.Generator,
    setting: _Setting,
    moment: _Moment,
    around: Surroundings,
    step_s: float,
    *,
    settling: bool = False,
    wet: bool = False,
    jumped: bool = False,
) -> None:
    """One step: vessels answer to the skin as it is, then heat follows the vessels."""
    v, block = setting.vessels, setting.block
    _stir(rng, moment, step_s)
    moment.reflex = moment.reflex * np.exp(-step_s / v.reflex_s)
    unrest = np.repeat(_STIR * moment.stir, 10)
    moment.drive = (_resting_drive(setting) + moment.reflex) * np.maximum(1 + unrest, 0.0)
    felt = moment.skin_c if settling else _delayed(moment, v.delay_s, step_s)
    wanted = np.clip(v.gain_per_c * (v.set_point_c - felt), 0.0, v.most_dilation)
    moment.feedback = wanted + (moment.feedback - wanted) * np.exp(-step_s / v.activation_s)
    cold = np.maximum(COLD_BELOW_C - moment.skin_c, 0.0) / 10.0
    aim = moment.drive * (1 - block.nerve) * (1 + v.sensitisation * cold) + v.local_cold * cold + v.structure
    aim = aim - moment.feedback - block.dilation + _LOCAL_STIR * moment.local_stir
    moment.tone = aim + (moment.tone - aim) * np.exp(-step_s / _TONE_S)
    moment.flow, moment.bypass = flow_of_tone(v, moment.tone), bypass_of_tone(v, moment.tone)
    moment.sweat, insensible = (moment.sweat * 0, moment.sweat * 0) if wet else _evaporation(setting, moment)
    evaporation = moment.sweat + insensible
    _follow(
        setting, moment, replace(around, evaporation_w_m2=evaporation), step_s, slow=settling, wet=wet, jumped=jumped
    )
    if not settling:
        moment.newest = (moment.newest + 1) % moment.past_skin_c.shape[0]
        moment.past_skin_c[moment.newest] = moment.skin_c


def _follow(
    setting: _Setting, moment: _Moment, around: Surroundings, step_s: float, *, slow: bool, wet: bool, jumped: bool
) -> None:
    """Heat of limb and digits after one step with the vessels as they are."""
    digits = setting.digits
    air = np.asarray(around.temperature_c)
    moment.limb = step_limb(
        setting.vessels.limb,
        moment.limb,
        air_c=air.reshape(-1, 5)[:, 0],
        water=wet,
        drive=_by_limb(moment.drive),
        digit_flow_w_k=_blood(setting, moment.flow),
        step_s=step_s,
    )
    inlet, base = np.repeat(moment.limb.inlet_c, 5), np.repeat(moment.limb.core_c, 5)
    flow = _along(moment.flow, moment.bypass)
    if jumped:
        moment.heat = after_jump(
            digits, moment.heat, around, flow_ml_100ml_min=flow, inlet_c=inlet, base_c=base, step_s=step_s
        )
    else:
        moment.heat, _ = step_digits(
            digits, moment.heat, around, flow_ml_100ml_min=flow, inlet_c=inlet, base_c=base, step_s=step_s,
            implicit=1.0 if slow else 0.5,
        )  # fmt: skip
    moment.profile_c = skin_c(digits, moment.heat, around)
    moment.skin_c = moment.profile_c[-2:].mean(axis=0)


def _along(flow: Floats, bypass: Floats) -> Floats:
    """Flow of each segment, (segments, digits): capillaries evenly, anastomoses more towards the tip."""
    return np.asarray((flow - bypass) + bypass * np.array(_BYPASS_TO_TIP)[:, None])


def _stir(rng: np.random.Generator, moment: _Moment, step_s: float) -> None:
    """Restlessness of the drive (one for both limbs) and of each digit's vessels: Ornstein–Uhlenbeck, SD 1."""
    for name, lasting in (("stir", _STIR_S), ("local_stir", _LOCAL_STIR_S)):
        keep = np.exp(-step_s / lasting)
        now = getattr(moment, name)
        setattr(moment, name, keep * now + np.sqrt(1 - keep**2) * rng.normal(size=now.size))


def _delayed(moment: _Moment, delay_s: Floats, step_s: float) -> Floats:
    """The skin as it was a delay ago (the past is a ring)."""
    back = (moment.newest - np.rint(delay_s / step_s).astype(np.intp)) % moment.past_skin_c.shape[0]
    return np.asarray(np.take_along_axis(moment.past_skin_c, back[None], axis=0)[0])


def _evaporation(setting: _Setting, moment: _Moment) -> tuple[Floats, Floats]:
    """Heat that evaporation takes, W/m²: by sweat, more in a warm room, and what leaves any skin; both on warm skin.

    The size is chosen: losing it warms a digit by about a degree, as diabetic feet that do not sweat are 1.5 °C warmer.
    """
    warm = 1 + 0.15 * np.maximum(setting.room_c - 25.0, 0.0)
    vapour = np.clip((moment.skin_c - 18.0) / 12.0, 0.0, 1.2)  # cold skin does not sweat
    sweat = setting.vessels.sweat_w_m2 * warm * (1 - setting.block.sweat)
    return vapour * sweat, vapour * _INSENSIBLE_W_M2
