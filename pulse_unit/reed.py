"""The reed switch, from its pin to pulses; parked while it rests closed."""

from pulse_unit.board import Board
from shared.wire.debounce import ReedDebouncer, debounce_times, period_min_ms

_PARKED_PERIOD_MIN_MS = 2_000  # below it a sampled contact could open and close unseen
_SAMPLES_PER_PERIOD = 8
_SAMPLE_MAX_MS = 1_000


def sample_interval_ms(weight_nl: int, flow_max_l_per_h: int) -> int:
    """Return how often a parked reed is looked at, or 0 where pulses come too fast to park it.

    No opening is missed that rests for this time longer than the opening time of
    `shared.wire.debounce.debounce_times`.
    """
    period_ms = period_min_ms(weight_nl, flow_max_l_per_h)
    if period_ms < _PARKED_PERIOD_MIN_MS:
        return 0
    return min(_SAMPLE_MAX_MS, period_ms // _SAMPLES_PER_PERIOD)


class Reed:
    """Turns what the interrupt recorded into pulses, each with its instant.

    A contact that rests closed draws the pull-up's current. So once its closing has counted, the
    pull-up is switched off and the level is looked at now and then, until it is open.

    Args:
        board: its pin and its buffer of edges.
        weight_nl: the volume of one pulse.
        flow_max_l_per_h: the meter's maximum flow.

    Attributes:
        closing_ms: how long a closing is watched before it counts.
        interval_ms: between looks at a parked contact; 0: it is never parked.
        edges: taken since the boot.
        samples: looks at a parked contact since the boot.
    """

    def __init__(self, board: Board, weight_nl: int, flow_max_l_per_h: int) -> None:
        self._board = board
        self.closing_ms, opening_ms = debounce_times(weight_nl, flow_max_l_per_h)
        self._debouncer = ReedDebouncer(self.closing_ms, opening_ms, board.is_reed_closed())
        self.interval_ms = sample_interval_ms(weight_nl, flow_max_l_per_h)
        self._next_sample_ms = -1  # when a parked contact is looked at; -1: its edges are watched
        self.edges = 0
        self.samples = 0

    def retime(self, weight_nl: int, flow_max_l_per_h: int, now_ms: int) -> None:
        """Take other times from now on; the level that was accepted stays accepted."""
        self._watch(now_ms)  # until it is known whether a contact of these times can be parked
        self.closing_ms, opening_ms = debounce_times(weight_nl, flow_max_l_per_h)
        self._debouncer.retime(self.closing_ms, opening_ms)
        self.interval_ms = sample_interval_ms(weight_nl, flow_max_l_per_h)

    def next_timer(self, now_ms: int) -> "int | None":
        """Return the uptime at which `next_pulse` has something to do, or None."""
        due_ms = self._board.edges.next_ms(now_ms)
        settle_ms = self._debouncer.next_timer()
        if due_ms is None or (settle_ms is not None and settle_ms < due_ms):
            due_ms = settle_ms
        if self._next_sample_ms >= 0 and (due_ms is None or self._next_sample_ms < due_ms):
            due_ms = self._next_sample_ms
        return due_ms

    def next_pulse(self, until_ms: int) -> int:
        """Take edges up to an instant; return when the first pulse counted, or -1 if none did."""
        edges = self._board.edges
        while True:
            edge_ms = edges.next_ms(until_ms)
            if edge_ms is None or edge_ms > until_ms:
                if self._debouncer.settle(until_ms):
                    return self._debouncer.settled_ms
                if not self._look(until_ms):
                    return -1
            elif self._debouncer.settle(edge_ms):
                return self._debouncer.settled_ms
            else:
                self._watch(until_ms)  # it came while the contact was being parked
                self._debouncer.edge(edges.take(), edge_ms)
                self.edges += 1

    def _look(self, now_ms: int) -> bool:
        """Park a contact that rests closed, sample a parked one; return whether it has opened."""
        if self._next_sample_ms < 0:
            if self.interval_ms and self._debouncer.rests_closed:
                self._board.park_reed(True, now_ms)
                self._next_sample_ms = now_ms + self.interval_ms
            return False
        if now_ms < self._next_sample_ms:
            return False
        self.samples += 1
        if self._board.is_reed_closed():
            self._next_sample_ms = now_ms + self.interval_ms
            return False
        self._watch(now_ms)
        return True

    def _watch(self, now_ms: int) -> None:
        if self._next_sample_ms >= 0:
            self._next_sample_ms = -1
            self._board.park_reed(False, now_ms)
