from __future__ import annotations

import pytest

from elec_meter.flag.framing import (
    BREAK,
    block_check,
    command_message,
    data_message,
    with_even_parity,
    without_parity,
)

# The standard's own break, and a password frame as readers send it.
VECTORS = [
    ("B0", bytes.fromhex("01 42 30 03 71")),
    ("P1\x02(00000000)", bytes.fromhex("01 50 31 02 28 30 30 30 30 30 30 30 30 29 03 61")),
]


@pytest.mark.parametrize(("command", "message"), VECTORS)
def test_a_command_message_ends_with_its_block_check(command: str, message: bytes) -> None:
    """SOH stays out of the check, ETX is in it."""
    assert message == command_message(command)


def test_the_break_is_a_command_of_its_own() -> None:
    """SOH B 0 ETX q."""
    assert VECTORS[0][1] == BREAK


def test_a_data_message_holds_its_lines() -> None:
    """STX, lines, the closing mark, ETX, and a check over all but STX."""
    checked = b"1.8.0(000001.234*kWh)\r\n!\r\n\x03"

    message = data_message(["1.8.0(000001.234*kWh)"])
    assert b"\x02" + checked == message[:-1]
    assert block_check(checked) == message[-1]
    assert 0 == block_check(message[1:])


def test_parity_is_put_on_and_taken_off() -> None:
    """Every byte of 7E1 has an even number of ones, and the seven bits survive."""
    plain = bytes(range(128))
    sent = with_even_parity(plain)

    assert {0} == {byte.bit_count() % 2 for byte in sent}
    assert plain == without_parity(sent)
