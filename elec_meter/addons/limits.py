"""What a module may use up, and how long the slot looks on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of a slot.

    Attributes:
        check_s: so often the slot looks at its modules and at the configuration.
        window_s: over so long the power budget is kept on average: a start takes more for a moment.
        rate_bytes_per_s: what may cross the line in both directions together: several readouts a
            second.
        burst_bytes: what may cross at once.
        flood_s: whoever had to wait again and again for so long floods the line.
        silence_s: a module that has asked nothing sensible for so long hangs: asking is all that it
            can do.
        first_pause_s: before a module is started again; twice as long after every further failure.
        longest_pause_s: where that ends.
        first_cut_s: likewise after it drew or said too much.
        longest_cut_s: where that ends.
        stable_s: a module that has run for so long begins with the shortest pause again.
    """

    check_s: float = 1.0
    window_s: float = 30.0
    rate_bytes_per_s: int = 8_192
    burst_bytes: int = 65_536
    flood_s: float = 30.0
    silence_s: float = 120.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 300.0
    first_cut_s: float = 60.0
    longest_cut_s: float = 3_600.0
    stable_s: float = 600.0


USUAL = Limits()
