"""Commands to a unit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.crypto.backend_cryptography import AesBlock
from shared.crypto.cmac import cmac
from shared.wire.command import (
    CLEAR,
    COMMAND_MAX,
    CONFIGURE,
    PHASE,
    open_command,
    seal_command,
    seal_phase,
)
from shared.wire.errors import BadMac, Malformed, Replayed, Truncated, Unsupported
from tests.shared.wire.strategies import COUNTERS, KEYS

KEY = bytes(range(16))


def sealed(kind: int, counter: int, argument: int, size: int = 4) -> bytes:
    """An authentic command of any kind."""
    plain = bytes([kind]) + counter.to_bytes(4, "little") + argument.to_bytes(size, "little")
    return plain + cmac(AesBlock, cmac(AesBlock, KEY, b"halfhourly command v1"), plain)[:8]


@given(KEYS, COUNTERS, st.integers(0, 1_799_999))
@settings(max_examples=50)
def test_phase_round_trip(key: bytes, counter: int, since_boundary_ms: int) -> None:
    """Any phase arrives with its counter, under the unit's key."""
    data = seal_phase(AesBlock, key, counter, since_boundary_ms)
    command = open_command(AesBlock, key, data, None)
    assert 17 == len(data)
    assert (PHASE, counter, since_boundary_ms) == (command.kind, command.counter, command.number)


@pytest.mark.parametrize(
    ("kind", "argument"), [(PHASE, bytes(4)), (CONFIGURE, bytes(range(24))), (CLEAR, b"\x03\x00")]
)
def test_every_kind_round_trip(kind: int, argument: bytes) -> None:
    """Every kind arrives with its argument, and no other length of it can be sealed."""
    command = open_command(AesBlock, KEY, seal_command(AesBlock, KEY, kind, 9, argument), 8)
    assert (kind, 9, argument) == (command.kind, command.counter, command.argument)
    with pytest.raises(Malformed):
        seal_command(AesBlock, KEY, kind, 9, argument + b"\x00")


def test_layout() -> None:
    """Kind, counter, milliseconds, MAC: seventeen bytes that stay as they are."""
    assert sealed(1, 3, 1000) == seal_phase(AesBlock, KEY, 3, 1000)
    assert "0103000000e8030000" == seal_phase(AesBlock, KEY, 3, 1000)[:9].hex()


def test_a_command_applies_once() -> None:
    """The same counter again, or an older one, is `Replayed`."""
    data = seal_phase(AesBlock, KEY, 5, 0)
    assert 5 == open_command(AesBlock, KEY, data, 4).counter
    for last in (5, 6):
        with pytest.raises(Replayed):
            open_command(AesBlock, KEY, data, last)


@given(st.integers(0, 17 * 8 - 1))
@settings(max_examples=60)
def test_changed_command_is_not_obeyed(bit: int) -> None:
    """One turned bit anywhere is a `BadMac`."""
    data = bytearray(seal_phase(AesBlock, KEY, 5, 1000))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadMac):
        open_command(AesBlock, KEY, bytes(data), None)


def test_other_bytes_are_refused_by_name() -> None:
    """Too short, too long, of another kind, of another length, or outside the half-hour."""
    data = seal_phase(AesBlock, KEY, 5, 1000)
    for end in range(len(data)):
        with pytest.raises(Truncated if end < 13 else BadMac):
            open_command(AesBlock, KEY, data[:end], None)
    with pytest.raises(Malformed):
        open_command(AesBlock, KEY, bytes(COMMAND_MAX + 1), None)
    with pytest.raises(Unsupported):
        open_command(AesBlock, KEY, sealed(9, 5, 0), None)
    for kind, size in ((PHASE, 5), (CLEAR, 3), (CONFIGURE, 23)):
        with pytest.raises(Malformed):
            open_command(AesBlock, KEY, sealed(kind, 5, 0, size), None)
    with pytest.raises(Malformed):
        open_command(AesBlock, KEY, sealed(1, 5, 1_800_000), None)


@pytest.mark.parametrize(("counter", "since_ms"), [(1, -1), (1, 1_800_000), (-1, 0), (1 << 32, 0)])
def test_what_cannot_be_sealed(counter: int, since_ms: int) -> None:
    """A counter that is used up, or a millisecond that no half-hour has."""
    with pytest.raises(Malformed):
        seal_phase(AesBlock, KEY, counter, since_ms)
