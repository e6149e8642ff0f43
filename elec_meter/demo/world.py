"""The simulated house around the real meter: mains, gas meter, pulse unit and radio on one clock.

Nothing in the path from reed and mains to register is simulated twice or short-cut: the unit is the
firmware, its telegrams are sealed, the radio loses them, and the meter gets samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from collector import Keys, ReceivedFrame, UnitRecord, Upkeep, VirtualRadio
from elec_meter.config import GasUnitConfig, MeterConfig
from elec_meter.errors import StorageError
from elec_meter.meter import Meter
from elec_meter.sampling import ConstantLoad, SyntheticMains
from elec_meter.sampling.synthetic import Load
from elec_meter.storage import Storage
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import from_unix_ms, unix_ms

from .gas import GasTurns
from .spare import SpareUnit

RATE_HZ: Final = 4_000
STEP_MS: Final = 10_000
STATE_KEY: Final = "demo"
NVM_KEY: Final = "demo unit"
SPARE_KEY: Final = "demo spare unit"
UNIT_SERIAL: Final = "00000001"
UNIT_KEY: Final = bytes.fromhex("0F0E0D0C0B0A09080706050403020100")
RADIO_DELAY_MAX_S: Final = 1
"""Well within the unit's reply window."""
UNIT_DRIFT_PPM: Final = 20
_AWAY: Final = timedelta(days=1)


Hear: TypeAlias = Callable[[ReceivedFrame, datetime], list[tuple[str, bytes]]]
"""Who hears every frame beside the meter, and what they send into its reply window."""


class WorldState(msgspec.Struct, frozen=True, kw_only=True):
    """What the house must remember to go on where the meter does; saved in the same commit.

    Attributes:
        seed: which home.
        begun_ms: when the simulation began, UTC ms; sample 0 of the mains.
        now_ms: how far it has come.
        turned: pulses that the gas meter has turned since then.
        boots: how often the simulation was started.
    """

    seed: int
    begun_ms: int
    now_ms: int
    turned: int
    boots: int


def saved_world(storage: Storage) -> WorldState | None:
    """The house that lives in a data directory; None in one without a demo.

    Raises:
        StorageError: what is saved there is no house.
    """
    saved = storage.get_state(STATE_KEY)
    if saved is None:
        return None
    try:
        return msgspec.msgpack.decode(saved, type=WorldState)
    except msgspec.DecodeError as error:
        raise StorageError(f"the demo's state is damaged: {error}") from None


def demo_unit(config: MeterConfig) -> GasUnitConfig:
    """The demo's unit, wherever it stands in the document; as it was, once it was exchanged."""
    units = (unit for unit in config.gas_units if unit.serial == UNIT_SERIAL)
    return next(units, GasUnitConfig(serial=UNIT_SERIAL))


def pair_demo_unit(meter: Meter, base_count: int, now: datetime) -> None:
    """Pair the demo's unit, unless it is: the count that it has now is the register's zero."""
    if UNIT_SERIAL in meter.collector.serials:
        return
    config = demo_unit(meter.config)
    record = UnitRecord(
        serial=UNIT_SERIAL,
        channel=config.channel,
        weight=config.weight,
        paired_utc=now,
        base_count=base_count,
        max_flow_l_h=config.max_flow_l_h,
    )
    meter.pair(record, UNIT_KEY, now)


class DemoWorld:
    """The house; `advance` lets simulated time pass.

    Args:
        meter: the meter, powered up at its `now`.
        turns: when the gas meter turns.
        load: what the house draws; None for a house without mains.
        seed: of everything random, for a house that begins.
        loss: share of telegrams that the radio loses.
    """

    def __init__(
        self,
        meter: Meter,
        turns: GasTurns,
        load: Load | None,
        *,
        seed: int,
        loss: float = 0.0,
    ) -> None:
        self.meter = meter
        self._now_ms = unix_ms(meter.now)
        self._state = saved_world(meter.storage) or WorldState(
            seed=seed, begun_ms=self._now_ms, now_ms=self._now_ms, turned=0, boots=0
        )
        self.turned = self._state.turned
        config = demo_unit(meter.config)
        self._mains = None if load is None else self._synthetic_mains(load)
        self._unloaded = self._synthetic_mains(ConstantLoad(0.0))
        self._turns = turns
        self._turned_through_ms = self._now_ms
        self._reed_free_ms = self._now_ms
        self.unit = self._boot_unit(config, meter.storage.get_state(NVM_KEY))
        for _ in range(self.turned - self.unit.count):
            self._turn(self._now_ms)  # the power went while this pulse was under way: again
        boots = self._state.boots + 1
        self._radio = VirtualRadio(
            seed=self._state.seed * 1_000 + boots, loss=loss, delay_max_s=RADIO_DELAY_MAX_S
        )
        self._upkeep = Upkeep()
        self.telegrams_sent = self.telegrams_received = 0
        pair_demo_unit(meter, self.unit.count, self.now)
        self._nvm_revision, self._nvm = self.unit.nvm_revision, self.unit.nvm
        self._is_powered = True
        self.hear: Hear = _nobody_pairs
        spare_nvm = meter.storage.get_state(SPARE_KEY)
        self.spare = None if spare_nvm is None else self._new_spare(spare_nvm)
        self._power_up(meter)

    @property
    def now(self) -> datetime:
        """Simulated UTC."""
        return from_unix_ms(self._now_ms)

    @property
    def loss(self) -> float:
        """The share of telegrams that the radio loses."""
        return self._radio.loss

    @loss.setter
    def loss(self, share: float) -> None:
        self._radio.loss = share

    def lose_power(self, until: datetime) -> Iterator[datetime]:
        """Let time pass without mains; the unit goes on counting what is burnt, unheard.

        Through more than a day nobody is at home and nothing is burnt: the units sleep through it,
        as they are not lived through second by second.
        """
        self.meter.supply_lost(self.now)
        self._is_powered = False
        if until - self.now <= _AWAY:
            yield from self.advance(until)
            return
        self._now_ms = self._turned_through_ms = self._reed_free_ms = unix_ms(until)
        self.unit.sleep(self._now_ms)
        if self.spare is not None:
            self.spare.unit.sleep(self._now_ms)

    def regain_power(self, keystore: Keys) -> None:
        """Mains are back: the meter starts again on its data."""
        self._is_powered = True
        self._power_up(Meter(self.meter.config, self.meter.storage, self.now, keystore=keystore))

    def _power_up(self, meter: Meter) -> None:
        self.meter = meter
        meter.save_beside(STATE_KEY, self._packed_state)
        meter.save_beside(NVM_KEY, self._packed_nvm)
        spare = self.spare
        if spare is not None:
            meter.save_beside(SPARE_KEY, lambda: spare.unit.nvm)
        meter.checkpoint()

    def bring_spare(self) -> SpareUnit:
        """The unit that a visitor may pair; it is there from the first time on."""
        spare = self.spare
        if spare is None:
            spare = self.spare = self._new_spare(None)
            self.meter.save_beside(SPARE_KEY, lambda: spare.unit.nvm)
        return spare

    def _new_spare(self, nvm: bytes | None) -> SpareUnit:
        return SpareUnit(self._now_ms, self._state.seed, nvm)

    def advance(self, until: datetime) -> Iterator[datetime]:
        """Let time pass until `until`, a step at a time; the caller may do other things between."""
        until_ms = unix_ms(until)
        while self._now_ms < until_ms:
            self._step(self._next_stop_ms(until_ms))
            yield self.now

    def _next_stop_ms(self, until_ms: int) -> int:
        """The end of the next step: the meter's timers are met when they are due."""
        if not self._is_powered:
            return min(until_ms, self._now_ms + STEP_MS)
        due_ms = unix_ms(self.meter.next_timer())
        return max(self._now_ms + 1, min(until_ms, self._now_ms + STEP_MS, due_ms))

    def _step(self, to_ms: int) -> None:
        first, end = (self._sample_at(at_ms) for at_ms in (self._now_ms, to_ms))
        self._now_ms = to_ms
        if self._mains is not None and end > first and self._is_powered:
            is_closed = self.meter.switchgear.contactor.is_closed
            mains = self._mains if is_closed else self._unloaded
            self.meter.receive_block(mains.block(first, end - first), self.now)
        for closing_ms in self._turns.pulses(self._turned_through_ms, to_ms):
            self.turned += 1
            self._turn(closing_ms)
        self._turned_through_ms = to_ms
        while (at_ms := self._next_radio_ms()) <= to_ms:
            self._carry(at_ms)
        self._carry(to_ms)
        if self._is_powered:
            collector = self.meter.collector
            self._upkeep.go_on(collector.serials, collector.compact_some, self.now)
            self.meter.handle_timer(self.now)

    def _next_radio_ms(self) -> int:
        """When the unit or the radio does something next."""
        in_flight_ms = self._radio.next_frame_utc_ms()
        nexts_ms = [self.unit.next_timer_utc_ms()]
        if in_flight_ms is not None:
            nexts_ms.append(in_flight_ms)
        if self.spare is not None:
            nexts_ms.append(self.spare.next_ms())
        return min(nexts_ms)

    def _carry(self, at_ms: int) -> None:
        """Let the unit and the radio do what is due at an instant, replies included."""
        for sent_ms, frame in self.unit.advance(at_ms):
            self.telegrams_sent += 1
            self._radio.send(frame, sent_ms)
        now = from_unix_ms(at_ms)
        for received in self._radio.receive_until(at_ms):
            if not self._is_powered:
                continue
            self.telegrams_received += 1
            for reply in self._hand_over(received, now):
                self.unit.receive(reply, at_ms)
        if self.spare is not None:
            for received in self.spare.advance(at_ms):
                for reply in self._hand_over(received, now) if self._is_powered else ():
                    self.spare.unit.receive(reply, at_ms)

    def _hand_over(self, received: ReceivedFrame, now: datetime) -> list[bytes]:
        """Let the meter, and a pairing that is under way, hear a frame; what they answer."""
        self.meter.receive_frame(received, now)
        return [reply for _, reply in (*self.meter.replies(now), *self.hear(received, now))]

    def _turn(self, closing_ms: int) -> None:
        closing_ms = max(closing_ms, self._reed_free_ms)
        self.unit.pulse(closing_ms, self._state.seed)
        self._reed_free_ms = closing_ms + self.unit.period_ms

    def _synthetic_mains(self, load: Load) -> SyntheticMains:
        return SyntheticMains(
            rate_hz=RATE_HZ,
            seed=self._state.seed,
            anchor_utc=from_unix_ms(self._state.begun_ms // 1_000 * 1_000),
            load=load,
        )

    def _sample_at(self, at_ms: int) -> int:
        return (at_ms - self._state.begun_ms // 1_000 * 1_000) * RATE_HZ // 1_000

    def _boot_unit(self, config: GasUnitConfig, nvm: bytes | None) -> VirtualUnit:
        weight_nl = int(config.weight.litres(1) * 1_000_000_000)
        try:
            return VirtualUnit(
                UNIT_SERIAL,
                UNIT_KEY,
                UnitConfig(
                    pulse_weight_nl=weight_nl,
                    flow_max_l_per_h=config.max_flow_l_h,
                    initial_index_l=0,
                ),
                nvm=nvm,
                boot_utc_ms=self._now_ms,
                drift_ppm=UNIT_DRIFT_PPM,
            )
        except ValueError as error:
            raise StorageError(f"the demo's unit has lost its memory: {error}") from None

    def _packed_state(self) -> bytes:
        state = msgspec.structs.replace(
            self._state,
            now_ms=self._now_ms,
            turned=self.turned,
            boots=self._state.boots + 1,
        )
        return msgspec.msgpack.encode(state)

    def _packed_nvm(self) -> bytes:
        """The unit's memory, packed again only when it has changed: that takes a while."""
        if self.unit.nvm_revision != self._nvm_revision:
            self._nvm_revision, self._nvm = self.unit.nvm_revision, self.unit.nvm
        return self._nvm


def _nobody_pairs(_frame: ReceivedFrame, _now: datetime) -> list[tuple[str, bytes]]:
    return []
