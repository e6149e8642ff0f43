"""A unit's settings as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.wire.errors import Malformed, Truncated
from shared.wire.settings import SETTINGS_LENGTH, decode_settings, encode_settings

SETTINGS: dict[str, int | None] = {
    "pulse_weight_nl": 28_316_846_592,
    "flow_max_l_per_h": 6_000,
    "initial_index_l": -2,
    "telegram_period_s": 900,
    "reply_window_ms": 2_000,
    "advert_period_s": 60,
    "window_period_s": 14_400,
    "history": 96,
}
BITS = {
    "pulse_weight_nl": 40,
    "flow_max_l_per_h": 24,
    "telegram_period_s": 24,
    "reply_window_ms": 16,
    "advert_period_s": 16,
    "window_period_s": 24,
    "history": 8,
}


def test_layout() -> None:
    """The bytes of settings stay as they are: a unit's memory holds them for twenty years."""
    data = encode_settings(SETTINGS)
    assert "00cad09706701700feffffff840300d0073c004038006000" == data.hex()
    assert SETTINGS == decode_settings(data)


@given(
    st.fixed_dictionaries(
        {
            **{name: st.integers(0, (1 << bits) - 1) for name, bits in BITS.items()},
            "initial_index_l": st.none() | st.integers(-0x7FFFFFFF, 0x7FFFFFFF),
        }
    )
)
def test_round_trip(settings: dict[str, int | None]) -> None:
    """Any settings come back as they were."""
    data = encode_settings(settings)
    assert SETTINGS_LENGTH == len(data)
    assert settings == decode_settings(data)


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, 1 << bits) for name, bits in BITS.items()]
    + [(name, -1) for name in BITS]
    + [("history", None), ("initial_index_l", 1 << 31), ("initial_index_l", -(1 << 31))],
)
def test_what_no_field_holds_is_refused(name: str, value: int | None) -> None:
    """A value beyond its field is `Malformed`, not cut."""
    with pytest.raises(Malformed, match=name):
        encode_settings({**SETTINGS, name: value})


def test_other_bytes_are_refused() -> None:
    """Shorter is `Truncated`; longer, or with a spare byte in use, `Malformed`."""
    data = encode_settings(SETTINGS)
    for end in range(len(data)):
        with pytest.raises(Truncated):
            decode_settings(data[:end])
    for other in (data + b"\x00", data[:-1] + b"\x01"):
        with pytest.raises(Malformed):
            decode_settings(other)
