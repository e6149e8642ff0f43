"""A whole meter with its gas unit, lived in steps of five minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, MeterConfig, Storage
from elec_meter.events import EventCode
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import from_unix_ms, from_unix_s, unix_ms
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import MIDNIGHT_S, meter_config
from tests.elec_meter.storage.house import KEY, SERIAL

STEP = timedelta(minutes=5)
BEGIN = from_unix_s(MIDNIGHT_S)


class MeteredHouse:
    """Energy, pulses, telegrams, refusals and events; a meter that was there before goes on.

    Args:
        storage: where the meter lives.
        now: when power comes; None for the first time.
        config: what the meter is; without one, Economy 7 with a gas unit.
    """

    def __init__(
        self, storage: Storage, now: datetime | None = None, config: MeterConfig | None = None
    ) -> None:
        self.storage, self.now = storage, now or BEGIN
        keystore = MemoryKeystore({SERIAL: KEY})
        self.meter = Meter(config or meter_config(), storage, self.now, keystore=keystore)
        self.unit = VirtualUnit(SERIAL, KEY, UnitConfig(), boot_utc_ms=unix_ms(self.now), pages=0)
        if not self.meter.collector.serials:
            record = UnitRecord(serial=SERIAL, channel="gas", paired_utc=self.now, base_count=0)
            self.meter.pair(record, KEY, self.now)
        self.steps = 0
        self.meter.save_beside("steps", lambda: self.steps.to_bytes(4, "big"))

    def live(self, steps: int) -> None:
        """Let time pass; the meter's own timers decide when it is made durable."""
        for _ in range(steps):
            self.steps += 1
            begin, self.now = self.now, self.now + STEP
            energy_mj = self.steps * 7_001 % 300 * MJ_PER_WH + self.steps
            self.meter.receive_energy("import", energy_mj, begin, self.now, self.now)
            self.unit.pulse(unix_ms(begin) + 60_000)
            self.unit.pulse(unix_ms(begin) + 120_000)
            for sent_ms, data in self.unit.advance(unix_ms(self.now)):
                sent = from_unix_ms(sent_ms)
                for each in (data, b"noise" + bytes([self.steps % 7])):
                    frame = ReceivedFrame(each, sent, "paper", delay_max_s=5)
                    self.meter.receive_frame(frame, self.now)
            text = f"step {self.steps}"
            self.storage.record_event(EventCode.UNIT_RESET, text, self.now)
            self.meter.handle_timer(self.now)

    @property
    def told(self) -> dict[str, list[object]]:
        """All that a reader could ask for."""
        return told(self.meter)


def told(meter: Meter) -> dict[str, list[object]]:
    """All that a reader could ask a meter for, but the events of its power-ups."""
    ledger = meter.ledger
    rows = [*ledger.rows(0, 1 << 40), *ledger.open_rows()]
    return {
        "totals": [ledger.total(channel) for channel in ledger.channels],
        "rates": [ledger.rates(channel) for channel in ledger.channels],
        "rows": [[row.start_s, *row.deltas.values(), int(row.status)] for row in rows],
        "events": [
            [event.number, event.code, event.text]
            for event in meter.storage.events()
            if event.code != EventCode.POWER_UP
        ],
        "refusals": [dict(meter.collector.refusals())],
        "steps": [int.from_bytes(meter.storage.get_state("steps") or b"", "big")],
    }
