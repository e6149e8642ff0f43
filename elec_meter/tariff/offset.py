"""The randomised offset: a share of delay that keeps a street from switching at one instant."""

from __future__ import annotations

from hashlib import sha256

from elec_meter.config import TariffConfig
from elec_meter.errors import TariffError


def randomised_offset_s(serial: str, limit_s: int) -> int:
    """A meter's own delay in seconds, from 0 to `limit_s`.

    It is the same whenever it is asked for, and spread evenly over serial numbers, consecutive ones
    too.

    Raises:
        TariffError: `limit_s` is negative.
    """
    if limit_s < 0:
        raise TariffError(f"an offset of up to {limit_s} s would be early")
    drawn = int.from_bytes(sha256(serial.encode()).digest(), "big")
    return drawn % (limit_s + 1)


def rates_offset_s(tariff: TariffConfig, serial: str) -> int:
    """The delay in seconds of a meter's rates: none, unless the tariff asks for it."""
    return randomised_offset_s(serial, tariff.offset_limit_s) if tariff.offset_rates else 0
