"""Hypothesis strategies for what travels on the wire."""

from hypothesis import strategies as st

from shared.wire.records import Record
from shared.wire.telegram import PulseTelegram

KEYS = st.binary(min_size=16, max_size=16)
SERIALS = st.integers(0, 99_999_999).map("{:08d}".format)
COUNTERS = st.integers(0, 2**32 - 1)

_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_VARIABLE = {0: 0, 5: 5, 0xBF: 191, 0xC4: 4, 0xD9: 9, 0xE0: 0, 0xEF: 15, 0xF0: 16, 0xF4: 32}
_VARIABLE |= {0xF5: 48, 0xF6: 64}
_TEXTS = st.text(st.characters(max_codepoint=0xFF), max_size=20)


@st.composite
def vifs(draw: st.DrawFn) -> bytes:
    """VIF and VIFEs: extension bits set on all but the last."""
    codes = draw(st.lists(st.integers(0, 0x7F), min_size=1, max_size=11))
    return bytes([code | 0x80 for code in codes[:-1]] + codes[-1:])


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record that `encode_record` can write."""
    vif = draw(vifs())
    coding = draw(st.sampled_from([*_SIZES, 13]))
    variable = draw(st.sampled_from([*_VARIABLE])) if coding == 13 else None
    size = _SIZES[coding] if variable is None else _VARIABLE[variable]
    return Record(
        coding,
        vif,
        draw(st.binary(min_size=size, max_size=size)),
        function=draw(st.integers(0, 3)),
        storage=draw(st.integers(0, 2**41 - 1)),
        tariff=draw(st.integers(0, 2**20 - 1)),
        subunit=draw(st.integers(0, 2**10 - 1)),
        text=draw(_TEXTS) if vif[0] & 0x7F == 0x7C else None,
        variable=variable,
    )


@st.composite
def telegrams(draw: st.DrawFn) -> PulseTelegram:
    """Any telegram whose history fits."""
    gridded = draw(st.booleans())
    largest = draw(st.sampled_from([3, 254, 255, 0xFFFE]))
    slots = 96 if largest < 255 else 48
    history = st.lists(st.integers(0, largest), max_size=slots)
    return PulseTelegram(
        count=draw(COUNTERS),
        uptime_s=draw(COUNTERS),
        volume_l=draw(st.none() | st.integers(-(2**31), 2**31 - 1)),
        last_pulse_age_s=draw(st.none() | st.integers(0, 0x7FFFFF)),
        battery_left_d=draw(st.integers(0, 0xFFFF)),
        error_flags=draw(st.integers(0, 0xFFFF)),
        reset_counter=draw(st.integers(0, 0xFFFF)),
        grid_count=draw(COUNTERS) if gridded else None,
        grid_age_s=draw(st.integers(0, 0xFFFF)) if gridded else None,
        increments=tuple(draw(history)) if gridded else (),
    )


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """``data`` with one to three bits turned over."""
    bits = draw(st.sets(st.integers(0, 8 * len(data) - 1), min_size=1, max_size=3))
    changed = bytearray(data)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)
