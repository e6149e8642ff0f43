"""A gas meter's drum, and a whole unit that counts its turns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulse_unit.config import WEIGHT_1_L_NL, WEIGHT_10_L_NL, UnitConfig
from pulse_unit.hal.gas_meter import GasMeter
from pulse_unit.reed import sample_interval_ms
from pulse_unit.unit import PulseUnit
from tests.pulse_unit.listening import board_of, run
from tests.shared.wire.trains import METERS

HOUR_MS = 3_600_000
# Minutes, and flow in permille of the greatest: mostly none or a lot, so that the drum rests.
FLOWS = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 1, 30, 400, 1_000])),
    min_size=1,
    max_size=6,
)


@given(
    st.sampled_from(METERS),
    FLOWS,
    st.integers(0, 1 << 16),
    st.sampled_from([0, 500]),
    st.integers(250, 600),
)
@settings(max_examples=60, deadline=None)
def test_unit_counts_every_turn(
    meter: tuple[int, int],
    flows: list[tuple[int, int]],
    seed: int,
    spikes_per_day: int,
    closed_permille: int,
) -> None:
    """Whatever flows and wherever it stops, a unit that parks its reed counts the drum's turns."""
    weight_nl, flow_max = meter
    drum = GasMeter(
        weight_nl,
        flow_max,
        seed,
        closed_permille=closed_permille if weight_nl != WEIGHT_1_L_NL else 300,
        settle_ms=sample_interval_ms(weight_nl, flow_max),
        spikes_per_day=spikes_per_day,
    )
    board = board_of()
    unit = PulseUnit(board, UnitConfig(pulse_weight_nl=weight_nl, flow_max_l_per_h=flow_max))
    now_ms = 0
    for minutes, permille in [*flows, (1, 0)]:
        end_ms = now_ms + minutes * 60_000
        for at_ms, closed in drum.flow(now_ms, end_ms, flow_max * permille // 1_000):
            run(unit, at_ms - 1)
            board.interrupt(closed, at_ms)
        run(unit, end_ms)
        now_ms = end_ms
    assert drum.closings == unit.count
    flowed = sum(flow_max * permille // 1_000 * minutes for minutes, permille in flows)
    assert flowed * 1_000_000_000 // 60 == drum.passed_nl


@given(FLOWS, st.integers(0, 1 << 16))
def test_edges_come_in_order_and_turn_about(flows: list[tuple[int, int]], seed: int) -> None:
    """Every edge changes the level, none is late, and the contact ends where the magnet is."""
    drum = GasMeter(WEIGHT_10_L_NL, 6_000, seed, spikes_per_day=300)
    edges: list[tuple[int, bool]] = []
    now_ms = 0
    for minutes, permille in [*flows, (1, 0)]:
        end_ms = now_ms + minutes * 60_000
        new = drum.flow(now_ms, end_ms, 6 * permille)
        assert all(now_ms <= at_ms <= end_ms for at_ms, _ in new[1:])
        edges += new
        now_ms = end_ms
    assert sorted(edges, key=lambda edge: edge[0]) == edges
    assert [closed for _, closed in edges] == [index % 2 == 0 for index in range(len(edges))]
    assert drum.is_closed == (bool(edges) and edges[-1][1])


def test_what_no_meter_does_is_refused() -> None:
    """More than the greatest flow, or a reed closed for too little of a turn."""
    drum = GasMeter(WEIGHT_10_L_NL, 6_000)
    for flow in (-1, 6_001):
        with pytest.raises(ValueError, match="does not take"):
            drum.flow(0, 1, flow)
    with pytest.raises(ValueError, match="cannot be told"):
        GasMeter(WEIGHT_1_L_NL, 6_000, closed_permille=100)
