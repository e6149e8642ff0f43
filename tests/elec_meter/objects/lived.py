"""A meter that lived: the real one, with everything that a directory can speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from collector import MemoryKeystore, ReceivedFrame, UnitRecord
from elec_meter import Meter, Storage
from elec_meter.config import (
    BillingConfig,
    BlocksConfig,
    CalendarConfig,
    ClockConfig,
    DataChannelConfig,
    DemandConfig,
    DemandWindow,
    GasUnitConfig,
    LimiterConfig,
    MeterConfig,
    PricesConfig,
    ProfileConfig,
    PulseInputConfig,
    PulseOutputConfig,
    RelayConfig,
    SwitchConfig,
    TariffConfig,
    TerminalConfig,
)
from elec_meter.sampling import EnergySeries
from shared.timegrid import unix_s
from shared.units import MJ_PER_WH
from tests.collector.frames import KEY, SERIAL, sealed, telegram

BEGUN: Final = datetime(2026, 3, 30, 22, 0, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
IMPORT: Final = CalendarConfig(
    rates=2,
    switches=(SwitchConfig(at="00:30", rate=2), SwitchConfig(at="07:30", rate=1)),
    blocks=BlocksConfig(thresholds=((1_000,), (2_000,)), reset="month"),
    prices=PricesConfig(
        block_p_kwh=((Decimal("24.5"), Decimal(30)), (Decimal(8), Decimal(9))),
        standing_p_day=Decimal("0.5"),
    ),
)


def lived_config(period_min: int = 15) -> MeterConfig:
    """Two rates with blocks and prices, reactive energy, gas, a data channel."""
    return MeterConfig(
        profile=ProfileConfig(period_min=period_min, reactive=True),  # type: ignore[arg-type]  # a number that is checked
        demand=DemandConfig(windows=(DemandWindow(start="16:00", end="19:00"),), time_base="utc"),
        billing=BillingConfig(day=1, time_base="utc"),
        clock=ClockConfig(backup_h=4),
        tariff=TariffConfig(
            import_=IMPORT,
            export=CalendarConfig(prices=PricesConfig(half_hourly=True)),
        ),
        gas_units=(GasUnitConfig(serial=SERIAL),),
        data_channels=(
            DataChannelConfig(name="counted", number=2, object="1-0:1.8.0"),
            DataChannelConfig(name="highest", number=3, object="1-0:1.6.0"),
        ),
        limiter=LimiterConfig(threshold=9_000, over="log"),
        terminals=(
            TerminalConfig(number=1, relay=RelayConfig(control="rate", rates=(2,))),
            TerminalConfig(number=2, pulse_in=PulseInputConfig(weight=Decimal("0.5"), unit="Wh")),
            TerminalConfig(number=3, pulse_out=PulseOutputConfig()),
        ),
        switched_load=RelayConfig(),
    )


class Life:
    """A meter whose hours are lived one by one.

    Attributes:
        meter: it; another object after an outage.
        now: the host's time.
    """

    def __init__(self, storage: Storage, config: MeterConfig | None = None) -> None:
        self.storage = storage
        self.keystore = MemoryKeystore()
        self.now = BEGUN
        self.meter = Meter(config or lived_config(), storage, BEGUN, keystore=self.keystore)
        self.pulses = self._telegrams = 0
        unit = UnitRecord(serial=SERIAL, channel="gas", paired_utc=BEGUN, base_count=0)
        self.meter.pair(unit, KEY, BEGUN)

    def live(
        self, length: timedelta, import_wh: int = 0, export_wh: int = 0, varh: int = 0
    ) -> None:
        """Energy that flows evenly; a telegram every quarter of an hour."""
        begun, end, whole_s = self.now, self.now + length, length // SECOND
        wholes = {"import": import_wh, "export": export_wh}
        if varh:
            wholes["reactive_q1"] = varh
        while self.now < end:
            to = min(end, self.now + 15 * MINUTE)
            seconds = range((self.now - begun) // SECOND, (to - begun) // SECOND)
            energies_mj = {
                channel: [
                    _share(whole, n + 1, whole_s) - _share(whole, n, whole_s) for n in seconds
                ]
                for channel, whole in wholes.items()
            }
            self.meter.receive_series(EnergySeries(unix_s(self.now), energies_mj), to)
            self.now = to
            self.hear()
        self.meter.checkpoint()

    def burn(self, pulses: int) -> None:
        """Gas that the next telegram tells of."""
        self.pulses += pulses

    def hear(self) -> None:
        """A telegram with the unit's count."""
        self._telegrams += 1
        uptime_s = 1000 + (self.now - BEGUN) // SECOND
        data = sealed(telegram(self.pulses, uptime_s), self._telegrams)
        at = self.now
        self.meter.receive_frame(ReceivedFrame(data, at, "test", 2, rssi_dbm=-71), at)

    def sleep(self, length: timedelta) -> None:
        """Power is off for a while."""
        self.meter.checkpoint()
        self.now += length
        self.meter = Meter(self.meter.config, self.storage, self.now, keystore=self.keystore)


def _share(whole: int, part: int, parts: int) -> int:
    """What has flowed after some of equal parts, in mJ."""
    return whole * MJ_PER_WH * part // parts


def whole_life(storage: Storage, config: MeterConfig | None = None) -> Life:
    """Two rates, gas, an outage, the end of a billing period, a setting, a spell without a time.

    It ends at 18:02 UTC of 1 April 2026, by both clocks.
    """
    life = Life(storage, config)
    life.live(2 * HOUR, 900, varh=40)
    life.burn(7)
    life.live(4 * HOUR, 4_000, 3)
    life.sleep(HOUR)
    life.live(13 * HOUR, 2_600)
    life.burn(30)
    life.live(5 * HOUR, 1_000)
    life.live(9 * HOUR, 900, 8)
    life.burn(2)
    life.meter.set_clock(life.now + 40 * MINUTE, life.now)
    life.live(2 * HOUR, 440, varh=4)
    life.sleep(5 * HOUR)
    life.live(HOUR, 100)
    life.meter.set_clock(life.now, life.now)
    life.live(2 * HOUR, 300)
    life.live(2 * MINUTE, 20)
    life.meter.receive_prices("export", life.now - 32 * MINUTE, [1500] * 48, life.now)
    life.meter.checkpoint()
    return life
