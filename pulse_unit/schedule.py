"""When telegrams leave: EN 13757-4's synchronous transmission."""


def interval_ms(period_ms: int, access_number: int) -> int:
    """Return the time from the telegram with this access number to the next.

    It varies by 3 % around the period, so that two units never collide for long, and a receiver
    that knows the access number knows when to listen (EN 13757-4, synchronous transmission).
    """
    return period_ms + period_ms * (abs(access_number - 128) - 64) // 2048
