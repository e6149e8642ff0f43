"""Telegrams that several tests take: a pulse unit's, and the gas meter of the OMS specification."""

from __future__ import annotations

from shared.wire.telegram import PulseTelegram

# OMS Vol. 2, Annex N.2.1: a gas meter, security profile A, and as a receiver hands it over: in
# format A with its CRCs left in. N.2.2 is the same meter on a wire.
GAS_LINK = bytes.fromhex(
    "2e4493157856341233037a2a0020255923c95aaa26d1b2e7493b013ec4a6f6d3529b520edff0ea6defc99d6d69ebf3"
)
GAS_FRAMED = bytes.fromhex(
    "2e44931578563412330333637a2a0020255923c95aaa26d1b2e7493bc2ad013ec4a6f6d3529b520edff0ea6defc9"
    "55b29d6d69ebf3ec8a"
)
GAS_KEY = bytes.fromhex("0102030405060708090a0b0c0d0e0f11")
GAS_WIRED = bytes.fromhex(
    "6820206808fd7278563412931533032a0000000c1427048502046d32371f1502fd1700008916"
)


def unit_telegram(**changes: object) -> PulseTelegram:
    """A unit two days after its start."""
    fields: dict[str, object] = {
        "count": 12345,
        "volume_l": 1_234_560,
        "uptime_s": 180_000,
        "last_pulse_age_s": 77,
        "battery_left_d": 7300,
        "reset_counter": 2,
        "grid_count": 12340,
        "grid_age_s": 900,
        "increments": (4, 0, 250),
    }
    return PulseTelegram(**{**fields, **changes})
