"""From a bouncing reed contact to pulses: a level counts once it has been stable for its time.

Times are integer milliseconds of the caller's clock and never run backwards.
"""

_CLOSING_MAX_MS = 150  # of the 250 ms that a reed stays closed at least
_OPENING_MAX_MS = 400  # longer than any bounce at opening, which takes 200 to 300 ms
_PERIOD_MIN_MS = 600  # 1.67 Hz: a litre a pulse at 6 m3/h
_SHARE = 5  # each time's part of the shortest period: two leave room for 300 ms of bounce


def period_min_ms(weight_nl: int, flow_max_l_per_h: int) -> int:
    """Return the shortest time between two pulses.

    Args:
        weight_nl: the volume of one pulse, nanolitres (a cubic foot is whole in them).
        flow_max_l_per_h: the meter's maximum flow, litres per hour.
    """
    return weight_nl * 36 // (flow_max_l_per_h * 10_000)


def debounce_times(weight_nl: int, flow_max_l_per_h: int) -> "tuple[int, int]":
    """Return the closing and the opening time in ms for a meter's reed.

    Args:
        weight_nl: the volume of one pulse, nanolitres.
        flow_max_l_per_h: the meter's maximum flow, litres per hour.

    Raises:
        ValueError: if pulses may come faster than a reed can be told from its bounce.
    """
    period_ms = period_min_ms(weight_nl, flow_max_l_per_h)
    if period_ms < _PERIOD_MIN_MS:
        raise ValueError("pulses %d ms apart are too fast for a reed" % period_ms)
    share_ms = period_ms // _SHARE
    return min(_CLOSING_MAX_MS, share_ms), min(_OPENING_MAX_MS, share_ms)


class ReedDebouncer:
    """Turns edges into pulses: one per stable closing that follows a stable opening.

    A level is accepted once it has lasted for ``closing_ms`` or ``opening_ms``; anything shorter
    never counts. Bounce of any shape counts nothing if it is shorter than both times together:
    a false pulse needs an opening and a closing inside it. A contact that rests, open or closed,
    has no timer.
    """

    __slots__ = ("_closing_ms", "_level", "_opening_ms", "_since_ms", "closed", "settled_ms")

    def __init__(self, closing_ms: int, opening_ms: int, closed: bool = False) -> None:
        """Start with a contact at rest: one found ``closed`` has been counted before."""
        self._closing_ms = closing_ms
        self._opening_ms = opening_ms
        self._level = closed
        self._since_ms = 0
        self.closed = closed  # the accepted level
        self.settled_ms = 0  # when it was accepted

    @property
    def rests_closed(self) -> bool:
        """Whether the contact is closed and was accepted so."""
        return self._level and self.closed

    def retime(self, closing_ms: int, opening_ms: int) -> None:
        """Take other times; a level that has not yet been accepted is measured by them."""
        self._closing_ms = closing_ms
        self._opening_ms = opening_ms

    def edge(self, closed: bool, at_ms: int) -> bool:
        """Take one edge of the raw contact; return True if a pulse was completed before it."""
        pulse = self.settle(at_ms)
        if closed != self._level:
            self._level = closed
            self._since_ms = at_ms
        return pulse

    def next_timer(self) -> "int | None":
        """Return when the raw level will have been stable for its time, or None at rest."""
        if self._level == self.closed:
            return None
        return self._since_ms + (self._closing_ms if self._level else self._opening_ms)

    def settle(self, now_ms: int) -> bool:
        """Accept the raw level if it has been stable by ``now_ms``; return True for a pulse.

        The instant of the pulse is `settled_ms`, however late this is called.
        """
        due_ms = self.next_timer()
        if due_ms is None or now_ms < due_ms:
            return False
        self.closed = self._level
        self.settled_ms = due_ms
        return self.closed
