"""A pulse input weighs what it has counted as it was counted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from elec_meter import Meter, MeterConfig, Storage, at_rest, demo_config
from elec_meter.config import DataChannelConfig, PulseInputConfig, RelayConfig, TerminalConfig
from elec_meter.errors import ConfigError
from elec_meter.events import EventCode
from tests.elec_meter.mains import BEGUN, SECOND

HOUR = timedelta(hours=1)
LITRES = PulseInputConfig(weight=Decimal("0.001"), unit="m3")
SAME = PulseInputConfig(weight=Decimal("0.0010"), unit="m3", debounce_ms=50)
OTHERS = (
    PulseInputConfig(weight=Decimal("0.01"), unit="m3"),
    PulseInputConfig(weight=Decimal("0.001"), unit="Wh"),
    PulseInputConfig(),
)


def counting(pulse_in: PulseInputConfig) -> MeterConfig:
    """A meter whose terminal 1 counts."""
    return replace(demo_config(), terminals=(TerminalConfig(number=1, pulse_in=pulse_in),))


def counted(meter: Meter) -> Meter:
    """The meter after one pulse."""
    for is_closed in (True, False):
        at = meter.now + SECOND
        meter.receive_edge(1, is_closed, at, at)
    meter.handle_timer(meter.now + SECOND)
    meter.checkpoint()
    return meter


@pytest.mark.parametrize("other", OTHERS, ids=lambda each: f"{each.weight} {each.unit}")
def test_what_has_counted_is_not_weighed_anew(other: PulseInputConfig, tmp_path: Path) -> None:
    """Running, at rest and at a start; nor by way of another use. Its register stays."""
    why = "terminal 1 has counted pulses of 0.001 m3; others need another terminal"
    with Storage.open(tmp_path) as storage:
        meter = counted(Meter(counting(LITRES), storage, BEGUN))
        with pytest.raises(ConfigError, match=why):
            meter.apply_config(counting(other), meter.now)
        assert Decimal("0.001") == meter.objects["0-1:128.62.0"].value
        relay = replace(demo_config(), terminals=(TerminalConfig(number=1, relay=RelayConfig()),))
        meter.apply_config(relay, meter.now)
        with pytest.raises(ConfigError, match=why):
            meter.apply_config(counting(other), meter.now)
    with Storage.open(tmp_path) as storage:
        with pytest.raises(ConfigError, match=why):
            at_rest.apply_config(storage, counting(other))
        with pytest.raises(ConfigError, match=why):
            Meter(counting(other), storage, BEGUN + HOUR)


def test_the_same_weight_may_be_written_in_another_way() -> None:
    """And its debouncing may change; what has counted nothing may weigh anything."""
    meter = Meter(counting(OTHERS[0]), Storage.in_memory(), BEGUN)
    meter.apply_config(counting(LITRES), meter.now)
    counted(meter)
    meter.apply_config(counting(SAME), meter.now)
    counted(meter)
    assert Decimal("0.002") == meter.objects["0-1:128.62.0"].value


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_lost_count_goes_on_from_what_was_recorded(is_recorded: bool, tmp_path: Path) -> None:
    """The channel gains what is counted from then on and no more; without one it is 0, and said."""
    channel = DataChannelConfig(name="water", number=2, object="0-1:128.62.0")
    config = replace(counting(LITRES), data_channels=(channel,) if is_recorded else ())
    with Storage.open(tmp_path) as storage:
        meter = Meter(config, storage, BEGUN)
        meter.handle_timer(meter.now + HOUR)
        for _ in range(3):
            counted(meter)
        meter.handle_timer(meter.now + HOUR)
        meter.checkpoint()
        storage.connection.execute("DELETE FROM meter_state WHERE key = 'switchgear'")
        meter.storage.commit()
    with Storage.open(tmp_path) as storage:
        meter = Meter(config, storage, meter.now + HOUR)
        litres = meter.objects["0-1:128.62.0"]
        assert Decimal("0.003" if is_recorded else 0) == litres.value
        counted(meter)
        meter.handle_timer(meter.now + HOUR)
        assert Decimal("0.004" if is_recorded else "0.001") == litres.value
        repaired = [e.text for e in storage.events() if e.code == EventCode.STORAGE_REPAIRED]
        if is_recorded:
            assert Decimal("0.004") == meter.objects["0-2:128.0.0"].value
            assert ["terminal 1 goes on from 3 pulses, as water recorded them"] == repaired
        else:
            assert [] == repaired
    with Storage.open(tmp_path) as storage:
        Meter(config, storage, meter.now + HOUR)
        again = [e for e in storage.events() if e.code == EventCode.STORAGE_REPAIRED]
        assert len(repaired) == len(again)
