"""Gas through a radio that loses most of it: the register is what the gas meter turned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.demo.gas import BoilerFlow, GasMeter, RecordedTurns
from elec_meter.demo.world import DemoWorld
from elec_meter.ledger.audit import imbalances
from shared.timegrid import unix_ms, unix_s

START = datetime(2026, 1, 12, 3, tzinfo=UTC)
DAYS = 2


END = START + timedelta(days=DAYS)


def gas_house(turns: RecordedTurns, loss: float) -> DemoWorld:
    """A house of which only the gas is looked at."""
    # Nothing is lost here but by radio, and no more energy flows: one checkpoint a minute will do.
    config = replace(demo_config(), checkpoint_s=60)
    meter = Meter(config, Storage.in_memory(), START)
    return DemoWorld(meter, turns, None, seed=4, loss=loss)


def family(seed: int) -> list[int]:
    """When the gas meter of a family turns, UTC ms."""
    weight = demo_config().gas_units[0].weight
    return list(GasMeter(BoilerFlow(seed), weight).pulses(unix_ms(START), unix_ms(END)))


@pytest.mark.parametrize("loss", [0.0, pytest.param(0.5, marks=pytest.mark.slow), 0.9])
def test_every_pulse_arrives(loss: float) -> None:
    """After the first telegram that follows the last pulse nothing is missing, nothing twice."""
    turns = family(4)
    world = gas_house(RecordedTurns(turns), loss)
    for _ in world.advance(END):
        assert world.meter.ledger.total("gas") <= world.turned
    received = world.telegrams_received
    while world.telegrams_received == received:
        for _ in world.advance(world.now + timedelta(minutes=15)):
            pass
    assert len(turns) > 1000
    assert len(turns) == world.turned == world.meter.ledger.total("gas")
    assert [] == imbalances(world.meter.ledger)


def test_half_hours_are_those_in_which_the_meter_turned() -> None:
    """At half the telegrams lost every row is measured, and right but for pulses within 10 s."""
    turns = family(9)
    world = gas_house(RecordedTurns(turns), 0.5)
    for _ in world.advance(END):
        pass
    rows = list(world.meter.ledger.rows(unix_s(START), unix_s(world.now)))
    final = [row for row in rows if row.deltas["gas_pulses"] is not None]
    assert len(final) >= DAYS * 48 - 8
    for row in final:
        assert 0 == row.channel_status["gas_pulses"]
        start_ms, end_ms = row.start_s * 1000, row.end_s * 1000
        least = sum(start_ms + 10_000 <= at_ms < end_ms - 10_000 for at_ms in turns)
        most = sum(start_ms - 10_000 <= at_ms < end_ms + 10_000 for at_ms in turns)
        assert least <= (row.deltas["gas_pulses"] or 0) <= most
