"""A diaphragm gas meter's last drum and its reed: flow goes in, a bouncing contact comes out.

A magnet on the drum holds the reed closed for a part of each turn. Where the gas stops, the drum
stops, and the reed rests as it is: closed for days, if the magnet happens to stand before it.
"""

from pulse_unit.hal.simulated_reed import Noise
from shared.wire.debounce import debounce_times, period_min_ms

_HOUR_MS = 3_600_000
_NL_PER_L = 1_000_000_000
_SPIKE_MAX_MS = 60
_SPIKE_APART_MS = 1_500  # from any change of the contact


class GasMeter:
    """The drum, its position in nanolitres, and the edges that its reed still has to make.

    Instants are integer ms of one clock and never run backwards.

    Args:
        weight_nl: the volume of one turn, and so of one pulse.
        flow_max_l_per_h: no more flows, ever.
        seed: of the bounce and the noise.
        closed_permille: the part of a turn for which the reed is closed.
        settle_ms: how long it rests open after its bounce at least, whatever the flow, before it
            closes again: the unit's opening time and its interval of looks.
        spikes_per_day: disturbances too short to count.

    Attributes:
        closings: how often the contact has closed for good.

    Raises:
        ValueError: for pulses that come too fast for a reed.
    """

    def __init__(
        self,
        weight_nl: int,
        flow_max_l_per_h: int,
        seed: int = 0,
        *,
        closed_permille: int = 300,
        settle_ms: int = 0,
        spikes_per_day: int = 0,
    ) -> None:
        closing_ms, opening_ms = debounce_times(weight_nl, flow_max_l_per_h)
        turn_ms = period_min_ms(weight_nl, flow_max_l_per_h)
        closed_ms = turn_ms * closed_permille // 1_000
        # At full flow, what is left of each half of a turn once the unit has seen it rest.
        self._closing_bounce_ms = min(10, closed_ms - closing_ms - 2)
        self._opening_bounce_ms = min(300, turn_ms - closed_ms - opening_ms - settle_ms - 2)
        if min(self._closing_bounce_ms, self._opening_bounce_ms) < 0:
            raise ValueError("a reed closed for %d ms of %d cannot be told" % (closed_ms, turn_ms))
        self._flow_max_l_per_h = flow_max_l_per_h
        self._spike_ms = min(_SPIKE_MAX_MS, closing_ms - 1, opening_ms - 1)
        self._spikes_per_day = spikes_per_day
        self._weight_nl = weight_nl
        self._open_nl = weight_nl * closed_permille // 1_000  # of a turn: where the reed opens
        self._noise = Noise(seed)
        self._pending: "list[tuple[int, bool]]" = []
        self._changed_ms = 0
        self._carry = 0  # of nl x 3,600,000, below one nanolitre
        self._stands_nl = self._open_nl  # the reed has just opened
        self.closings = 0

    @property
    def passed_nl(self) -> int:
        """What has flowed."""
        return self._stands_nl - self._open_nl

    @property
    def is_closed(self) -> bool:
        """Whether the magnet stands before the reed."""
        return self._stands_nl % self._weight_nl < self._open_nl

    def flow(self, from_ms: int, until_ms: int, l_per_h: int) -> "list[tuple[int, bool]]":
        """Let gas flow evenly; return the (instant, closed) of edges up to ``until_ms``, in order.

        Raises:
            ValueError: for more flow than the meter takes, or less than none.
        """
        if not 0 <= l_per_h <= self._flow_max_l_per_h:
            raise ValueError(
                "a meter of %d l/h does not take %d" % (self._flow_max_l_per_h, l_per_h)
            )
        rate = l_per_h * _NL_PER_L
        total = self._carry + rate * (until_ms - from_ms)
        end_nl = self._stands_nl + total // _HOUR_MS
        while True:
            next_nl = self._next_change_nl()
            if next_nl > end_nl:
                break
            wanted = (next_nl - self._stands_nl) * _HOUR_MS - self._carry
            change_ms = from_ms - (-wanted // rate)
            self._spikes(from_ms, change_ms)
            self._change(change_ms, next_nl % self._weight_nl == 0)
            self._carry += rate * (change_ms - from_ms) - (next_nl - self._stands_nl) * _HOUR_MS
            self._stands_nl = next_nl
            from_ms = change_ms
        self._spikes(from_ms, until_ms)
        total = self._carry + rate * (until_ms - from_ms)
        self._stands_nl += total // _HOUR_MS
        self._carry = total % _HOUR_MS
        return self._due(until_ms)

    def _next_change_nl(self) -> int:
        turned = self._stands_nl % self._weight_nl
        step_nl = self._open_nl - turned if turned < self._open_nl else self._weight_nl - turned
        return self._stands_nl + step_nl

    def _change(self, at_ms: int, closed: bool) -> None:
        """Bounce from one level to the other."""
        end_ms = at_ms + (self._closing_bounce_ms if closed else self._opening_bounce_ms)
        if closed:
            self.closings += 1
        self._pending.append((at_ms, closed))
        while True:
            away_ms = at_ms + self._noise.between(1, 40)
            at_ms = away_ms + self._noise.between(1, 40)
            if at_ms > end_ms:
                break
            self._pending.append((away_ms, not closed))
            self._pending.append((at_ms, closed))
        self._changed_ms = end_ms

    def _spikes(self, from_ms: int, until_ms: int) -> None:
        """Disturb a contact that rests, far from any change of it."""
        if not self._spikes_per_day:
            return
        closed = self.is_closed
        at_ms = max(from_ms, self._changed_ms)
        while True:
            at_ms += _SPIKE_APART_MS + self._noise.below(2 * 24 * _HOUR_MS // self._spikes_per_day)
            end_ms = at_ms + self._noise.between(1, self._spike_ms)
            if end_ms + _SPIKE_APART_MS > until_ms:
                return
            self._pending.append((at_ms, not closed))
            self._pending.append((end_ms, closed))
            at_ms = self._changed_ms = end_ms

    def _due(self, until_ms: int) -> "list[tuple[int, bool]]":
        count = 0
        while count < len(self._pending) and self._pending[count][0] <= until_ms:
            count += 1
        due = self._pending[:count]
        self._pending = self._pending[count:]
        return due
