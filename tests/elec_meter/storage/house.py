"""A house whose meter, collector and gas unit are the real ones, lived in steps of five minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from collector import Collector, MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter.config import MeterConfig
from elec_meter.ledger import Ledger, imbalances
from elec_meter.storage import Storage
from elec_meter.storage.observe import observe
from pulse_unit.config import UnitConfig
from pulse_unit.hal.virtual import VirtualUnit
from shared.timegrid import from_unix_ms, from_unix_s
from shared.units import MJ_PER_WH
from tests.elec_meter.ledger.meters import MIDNIGHT_S, meter_config

SERIAL: Final = "00000001"
KEY: Final = bytes(range(16))
STEP_S: Final = 300
UNIT_STATE: Final = "unit"


class House:
    """Goes on where its storage ends; what happens in a step depends on its time alone."""

    def __init__(self, storage: Storage, config: MeterConfig | None = None) -> None:
        self.storage = storage
        state = storage.load()
        self.now_s = MIDNIGHT_S if state.durable_s is None else state.durable_s
        keystore, now = MemoryKeystore(), from_unix_s(self.now_s)
        self.collector = Collector(storage.connection, keystore, now)
        keystore.put(SERIAL, KEY)
        if SERIAL not in self.collector.serials:
            record = UnitRecord(serial=SERIAL, channel="gas", paired_utc=now, base_count=0)
            self.collector.pair(record, KEY, now)
        self.unit = VirtualUnit(
            SERIAL,
            KEY,
            UnitConfig(),
            nvm=storage.get_state(UNIT_STATE),
            boot_utc_ms=self.now_s * 1000,
            pages=0,  # as few as it can live with: its memory is packed at every checkpoint
        )
        self.config = config or meter_config(depth_days=1)
        self.ledger = Ledger(self.config, state, self.collector)
        self.ledger.power_up(self.now_s)
        if storage.load_config() is None:
            storage.save_config(self.config, self.now_s)

    def step(self) -> None:
        """Five minutes: 0 to 299 Wh in, some out, varh of two quadrants, pulses, telegrams."""
        end_s = self.now_s + STEP_S
        number = end_s // STEP_S
        self.ledger.accumulate_evenly(
            "import", number * 7_001 % 300 * MJ_PER_WH + number % 977, self.now_s, end_s
        )
        self.ledger.accumulate_evenly("export", number % 11 * MJ_PER_WH, self.now_s, end_s)
        varh = number * 3_001 % 120
        self.ledger.accumulate_evenly("reactive_q1", varh * MJ_PER_WH + 11, self.now_s, end_s)
        self.ledger.accumulate_evenly("reactive_q4", varh % 7 * MJ_PER_WH, self.now_s, end_s)
        for nth in range(number % 3):
            self.unit.pulse((self.now_s + 60 * (nth + 1)) * 1000)
        for sent_ms, data in self.unit.advance(end_s * 1000):
            received = from_unix_ms(sent_ms)
            frame = ReceivedFrame(data, received, "paper", delay_max_s=5)
            self.collector.receive(frame, received)
        self.ledger.book_pulses()
        self.ledger.close_through(end_s)
        self.now_s = end_s

    def checkpoint(self) -> None:
        """Make everything durable, the unit's memory too."""
        self.storage.put_state(UNIT_STATE, self.unit.nvm)
        self.storage.checkpoint(self.ledger, self.now_s)

    def live(self, steps: int) -> None:
        """Steps, with a checkpoint after each."""
        for _ in range(steps):
            self.step()
            self.checkpoint()

    @property
    def totals(self) -> list[int]:
        """Import, export, reactive energy and gas."""
        return [self.ledger.total(channel) for channel in self.ledger.channels]


def audited(directory: Path) -> list[str]:
    """What the audit finds in a directory."""
    with observe(directory) as copy:
        state = copy.load()
        collector = Collector(
            copy.connection, MemoryKeystore(), from_unix_s(state.durable_s or MIDNIGHT_S)
        )
        ledger = Ledger(copy.load_config() or MeterConfig(), state, collector)
        return copy.faults() + imbalances(ledger, at_rest=True)
