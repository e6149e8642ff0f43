"""Any life of a pulse input, its data channel and a pulse output: what was served stays."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter import Meter, Storage, demo_config
from elec_meter.config import (
    DataChannelConfig,
    PulseInputConfig,
    PulseOutputConfig,
    TerminalConfig,
)
from elec_meter.ledger.audit import imbalances
from shared.units import MJ_PER_WH
from tests.elec_meter.mains import BEGUN

CONFIG = replace(
    demo_config(),
    terminals=(
        TerminalConfig(number=1, pulse_in=PulseInputConfig()),
        TerminalConfig(number=2, pulse_out=PulseOutputConfig(imp_per_kwh=300)),
    ),
    data_channels=(DataChannelConfig(name="water", number=2, object="0-1:128.62.0"),),
)
SECOND = timedelta(seconds=1)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("pulses", "burst", "energy", "commit", "cut", "wait")), st.integers(1, 40)
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_what_was_served_stays_and_what_was_sent_is_not_sent_again(
    steps: list[tuple[str, int]],
) -> None:
    """Pulses in and out follow what is durable, and the books balance after every cut."""
    storage, now = Storage.in_memory(), BEGUN
    meter = Meter(CONFIG, storage, now)
    meter.checkpoint()
    heard = served = sent = served_wh = 0
    for what, size in steps:
        start, now = now, now + size * 60 * SECOND
        if what == "burst":
            now = start + size * SECOND
        if what in ("pulses", "burst"):
            for number in range(size):
                for ms, is_closed in ((0, True), (100, False)):
                    at = start + number * SECOND + timedelta(milliseconds=ms)
                    meter.receive_edge(1, is_closed, at, at)
            heard += size
            if what == "burst":
                assert heard == meter.objects["0-1:128.62.0"].value
                continue  # nothing of it is durable yet
        elif what == "energy":
            meter.receive_energy("import", size * 10 * MJ_PER_WH, start, now, now)
        elif what == "cut":
            storage.connection.rollback()
            storage = Storage(storage.connection)
            meter = Meter(CONFIG, storage, now)
            heard = served
            assert served == meter.objects["0-1:128.62.0"].value
            assert served_wh == meter.ledger.total("import")
            assert [] == imbalances(meter.ledger)
        meter.handle_timer(now)
        if what == "commit":
            meter.checkpoint()
            sent += meter.switchgear.terminals.outputs[2].take_pulses()
        if what != "cut":
            meter.checkpoint()  # whatever a timer has committed is served
            served, served_wh = heard, meter.ledger.total("import")
        assert heard == meter.objects["0-1:128.62.0"].value
        assert served_wh * 300 // 1_000 >= sent
        assert [] == imbalances(meter.ledger)
    rows = meter.ledger.rows(0, 1 << 40)
    booked = sum(row.deltas.get("water") or 0 for row in rows)
    assert booked <= heard
