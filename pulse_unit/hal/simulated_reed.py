"""What a diaphragm meter's reed does to a pin: pulses with bounce, and noise between them."""

_CLOSING_BOUNCE_MS = 10
_OPENING_BOUNCE_MS = 300
_MASK = 0xFFFFFFFF


class Noise:
    """A small generator of integers that gives the same numbers on every interpreter."""

    def __init__(self, seed: int) -> None:
        self._state = (seed * 2_654_435_761 + 0x9E3779B9) & _MASK or 1
        for _ in range(4):  # near seeds begin alike
            self.below(2)

    def below(self, limit: int) -> int:
        """Return an integer from 0 to ``limit`` - 1 (xorshift, 32 bits)."""
        state = self._state
        state ^= (state << 13) & _MASK
        state ^= state >> 17
        state ^= (state << 5) & _MASK
        self._state = state
        return state % limit

    def between(self, least: int, most: int) -> int:
        """Return an integer from ``least`` to ``most``, both included."""
        return least + self.below(most - least + 1)


def pulse_edges(
    closing_ms: int, closing_time_ms: int, opening_time_ms: int, period_ms: int, seed: int = 0
) -> "list[tuple[int, bool]]":
    """Return one legal pulse: (time in ms, closed) of every edge, bounce and noise included.

    All of it, and a rest that the debouncer accepts, fits ``period_ms``. The same arguments give
    the same edges, so that a resumed simulation goes on as it would have.

    Args:
        closing_ms: when the contact first closes; any clock.
        closing_time_ms: the debouncer's closing time.
        opening_time_ms: the debouncer's opening time.
        period_ms: the shortest time to the next pulse, at least 600.
        seed: of the bounce, the time it is closed and the noise.
    """
    noise = Noise(seed ^ (closing_ms & _MASK) ^ (closing_ms >> 32))
    room_ms = period_ms - closing_time_ms - opening_time_ms - 2
    opening_bounce_ms = min(noise.between(200, _OPENING_BOUNCE_MS), room_ms * 2 // 3)
    closing_bounce_ms = min(noise.between(2, _CLOSING_BOUNCE_MS), room_ms // 6)
    spare_ms = room_ms - opening_bounce_ms - closing_bounce_ms
    held_ms = closing_time_ms + 1 + noise.below(spare_ms // 2 + 1)
    edges: "list[tuple[int, bool]]" = []
    at_ms = _bounce(edges, closing_ms, closing_bounce_ms, True, noise)
    at_ms = _held(edges, at_ms, held_ms, closing_time_ms, opening_time_ms, noise)
    at_ms = _bounce(edges, at_ms, opening_bounce_ms, False, noise)
    rest_ms = closing_ms + period_ms - at_ms
    _rest(edges, at_ms, rest_ms, closing_time_ms, opening_time_ms, noise)
    return edges


def _bounce(
    edges: "list[tuple[int, bool]]", at_ms: int, length_ms: int, closed: bool, noise: Noise
) -> int:
    """Append edges that end at ``closed``; return when the last of them comes."""
    end_ms = at_ms + length_ms
    edges.append((at_ms, closed))
    while True:
        apart_ms = noise.between(1, 40)
        back_ms = at_ms + apart_ms + noise.between(1, 40)
        if back_ms > end_ms:
            return at_ms
        edges.append((at_ms + apart_ms, not closed))
        edges.append((back_ms, closed))
        at_ms = back_ms


def _held(
    edges: "list[tuple[int, bool]]",
    at_ms: int,
    held_ms: int,
    closing_time_ms: int,
    opening_time_ms: int,
    noise: Noise,
) -> int:
    """Perhaps open the held contact for less than the opening time; return when it opens."""
    gap_ms = noise.between(1, min(60, opening_time_ms - 1))
    if held_ms > closing_time_ms + gap_ms + 2 and noise.below(8) == 0:
        edges.append((at_ms + closing_time_ms, False))
        edges.append((at_ms + closing_time_ms + gap_ms, True))
    return at_ms + held_ms


def _rest(
    edges: "list[tuple[int, bool]]",
    at_ms: int,
    rest_ms: int,
    closing_time_ms: int,
    opening_time_ms: int,
    noise: Noise,
) -> None:
    """Perhaps close the resting contact for less than the closing time."""
    spike_ms = noise.between(1, min(60, closing_time_ms - 1))
    if rest_ms > opening_time_ms + spike_ms + 2 and noise.below(4) == 0:
        edges.append((at_ms + opening_time_ms, True))
        edges.append((at_ms + opening_time_ms + spike_ms, False))
