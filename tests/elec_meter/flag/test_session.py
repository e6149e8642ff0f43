from __future__ import annotations

import pytest

from elec_meter.errors import CheckpointFailedError
from elec_meter.flag import FlagLine, FlagSession, State
from tests.elec_meter.flag.lines import (
    BREAK,
    IDENTIFICATION,
    NOW,
    SELECT_READOUT,
    SIGN_ON,
    fed,
    fed_at_cuts,
    fed_bytewise,
    flag_port,
    later,
    new_session,
)
from tests.elec_meter.objects.fixed_meter import START, FixedMeter


def block_of(session: FlagSession) -> bytes:
    """Sign on and read out."""
    assert IDENTIFICATION == fed(session, SIGN_ON)
    return fed(session, SELECT_READOUT)


@pytest.mark.parametrize("address", [b"", b"00000001", b"1", b"0001"])
def test_a_sign_on_is_answered_with_the_identification(address: bytes) -> None:
    """Without an address, and with the meter's own, whose leading zeros do not count."""
    assert IDENTIFICATION == fed(new_session(), b"/?" + address + b"!\r\n")


@pytest.mark.parametrize("address", [b"00000002", b"10", b"0", b"1 ", b"ABC"])
def test_a_sign_on_to_another_meter_is_met_with_silence(address: bytes) -> None:
    """Somebody else on the line may answer."""
    session = new_session()

    assert b"" == fed(session, b"/?" + address + b"!\r\n")
    assert IDENTIFICATION == fed(session, SIGN_ON)


def test_a_configured_address_stands_beside_the_serial() -> None:
    """No installer can hide the meter from who knows its number; letters count as they are."""
    session = new_session(device_address="House1")

    assert b"" == fed(session, b"/?house1!\r\n")
    for address in (b"House1", b"00000001", b"1"):
        assert IDENTIFICATION == fed(session, b"/?" + address + b"!\r\n")


def test_identification_is_configured() -> None:
    """Another maker and product."""
    session = new_session(manufacturer="ABc", identification="METER 1")

    assert b"/ABc6\\2METER 1\r\n" == fed(session, SIGN_ON)


def test_a_readout_follows_option_zero() -> None:
    """A block from STX to a check that fits."""
    block = block_of(new_session())

    assert block.startswith(b"\x02")
    assert block[:-1].endswith(b"!\r\n\x03")


@pytest.mark.parametrize("speed", b"0123456")
def test_any_offered_speed_is_taken_on_a_line_of_fixed_speed(speed: int) -> None:
    """A reader may ask for less than was offered."""
    session = new_session()
    fed(session, SIGN_ON)

    assert fed(session, b"\x060" + bytes((speed,)) + b"0\r\n").startswith(b"\x02")


@pytest.mark.parametrize("option", [b"061", b"062", b"069", b"160", b"262", b"070", b"090"])
def test_what_does_not_exist_is_refused_with_a_break(option: bytes) -> None:
    """Programming, mode E, makers' modes, other procedures and speeds that were not offered."""
    session = new_session()
    fed(session, SIGN_ON)

    assert BREAK == fed(session, b"\x06" + option + b"\r\n")
    assert State.SIGN_ON is session.state


def test_a_repeat_request_sends_the_same_block() -> None:
    """The block is repeated as it was, even when the registers have moved on."""
    meter = FixedMeter()
    session = flag_port(meter).session(NOW)
    block = block_of(session)
    meter.book("import", 1000)

    assert [block] * 3 == [fed(session, b"\x15") for _ in range(3)]
    assert BREAK == fed(session, b"\x15")
    assert b"" == fed(session, b"\x15")


def test_a_break_ends_a_readout() -> None:
    """After it there is nothing to repeat."""
    session = new_session()
    block_of(session)

    assert b"" == fed(session, BREAK + b"\x15")
    assert State.SIGN_ON is session.state


def test_a_sign_on_interrupts_anything() -> None:
    """A reader that starts anew gets its identification in every state."""
    for before in (b"", SIGN_ON, SIGN_ON + SELECT_READOUT, SIGN_ON + b"\x060", b"\x01P1\x02("):
        assert fed(new_session(), before + SIGN_ON).endswith(IDENTIFICATION)


def test_values_are_durable_before_they_are_sent() -> None:
    """The checkpoint comes first, once for each readout and not for its repetition."""
    meter = FixedMeter()

    def checkpoint() -> None:
        meter.book("import", 1, START)

    session = flag_port(meter, checkpoint).session(NOW)
    assert b"1.8.0(000000.001*kWh)" in block_of(session)
    assert b"1.8.0(000000.001*kWh)" in fed(session, b"\x15")
    assert b"1.8.0(000000.002*kWh)" in block_of(session)


def test_a_failed_checkpoint_sends_nothing() -> None:
    """What may not survive is not said: the failure is the host's to deal with."""

    def fail() -> None:
        raise OSError("disk full")

    session = flag_port(durable=fail).session(NOW)
    fed(session, SIGN_ON)
    with pytest.raises(OSError, match="disk full"):
        fed(session, SELECT_READOUT)


@pytest.mark.parametrize("reads_at_once", [False, True])
def test_a_readout_that_cannot_be_made_durable_is_refused_with_a_break(reads_at_once: bool) -> None:
    """On a full disk a reader is told at once, and served as soon as there is room again."""
    is_full = True

    def checkpoint() -> None:
        if is_full:
            raise CheckpointFailedError("the disk is full")

    line = FlagLine(reads_at_once=reads_at_once)
    session = flag_port(durable=checkpoint, line=line).session(NOW)
    speech = SIGN_ON if reads_at_once else SIGN_ON + SELECT_READOUT
    assert fed(session, speech).endswith(BREAK)
    assert State.SIGN_ON is session.state
    is_full = False
    assert b"1.8.0(000000.000*kWh)" in fed(session, speech)


def test_a_broken_off_readout_says_so_at_the_speed_that_was_chosen() -> None:
    """Where the reader is listening for the readout."""

    def fail() -> None:
        raise CheckpointFailedError("the disk is full")

    session = flag_port(durable=fail, line=FlagLine(opening_bps=300)).session(NOW)
    session.receive(SIGN_ON, NOW)
    (broken,) = session.receive(SELECT_READOUT, NOW)
    assert (BREAK, 19_200) == (broken.data, broken.setting.speed_bps)
    assert 300 == session.setting.speed_bps


def test_a_late_option_is_none() -> None:
    """After two seconds the meter waits for a sign-on again."""
    session = new_session()
    fed(session, SIGN_ON)

    assert later(2000) == session.next_timer()
    assert b"" == fed(session, SELECT_READOUT[:3], later(1999))
    assert b"" == fed(session, SELECT_READOUT[3:], later(2000))
    assert State.SIGN_ON is session.state


def test_an_unfinished_message_is_forgotten() -> None:
    """Half a message and 1500 ms later a line is as new."""
    session = new_session()
    fed(session, b"\x01P1\x02(1234")

    assert later(1500) == session.next_timer()
    assert b"" == session.handle_timer(later(1500))
    assert b"" == fed(session, b")\x03\x40", later(1600))
    assert IDENTIFICATION == fed(session, SIGN_ON, later(1700))


def test_a_slow_sender_is_understood() -> None:
    """A second between characters is within the standard."""
    session = new_session()
    replies = [fed(session, bytes((byte,)), later(1000 * n)) for n, byte in enumerate(SIGN_ON)]

    assert IDENTIFICATION == b"".join(replies)


def test_nothing_sensible_for_two_minutes_closes_the_line() -> None:
    """Noise and requests to others do not keep it open, and a closed line answers nothing."""
    session = new_session()
    for second in range(0, 119, 2):
        fed(session, b"noise\x06/?2!\r\n", later(1000 * second))

    assert later(120_000) == session.next_timer()
    session.handle_timer(later(120_000))
    assert session.closed
    assert session.next_timer() is None
    assert b"" == fed(session, SIGN_ON, later(120_001))


def test_each_readout_prolongs_the_line() -> None:
    """A reader that comes back every minute is never cut off."""
    session = new_session()
    for minute in range(10):
        at = later(60_000 * minute)
        assert fed(session, SIGN_ON + SELECT_READOUT, at).startswith(IDENTIFICATION)

    assert not session.closed


def test_calling_the_timer_early_changes_nothing() -> None:
    """A host may wake a session whenever it likes."""
    session = new_session()
    fed(session, SIGN_ON)
    for milliseconds in range(0, 2000, 100):
        session.handle_timer(later(milliseconds))

    assert State.OPTION_SELECT is session.state


def test_software_parity_is_put_on_every_byte() -> None:
    """On a line of eight bits the meter speaks 7E1 by itself, and hears it anyway."""
    session = flag_port(line=FlagLine(software_parity=True)).session(NOW)

    reply = fed(session, b"\xaf\x3f\x21\x8d\x0a")
    assert {0} == {byte.bit_count() % 2 for byte in reply}
    assert IDENTIFICATION == bytes(byte & 0x7F for byte in reply)


CONVERSATIONS = [
    SIGN_ON + SELECT_READOUT + b"\x15\x15" + BREAK,
    b"\x00" * 40 + b"/?00000001!\r\n" + SELECT_READOUT + b"\x06" + SIGN_ON + b"\x06061\r\n",
    SIGN_ON + b"\x0606" + SIGN_ON + SELECT_READOUT + b"\x15" * 6,
    b"/?2!\r\n" + SIGN_ON + b"\x06xx" + SIGN_ON + SELECT_READOUT + b"\x01B0\x03z\x15",
]


@pytest.mark.parametrize("conversation", CONVERSATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_cuts_change_no_answer(conversation: bytes, seed: int) -> None:
    """Whole, byte by byte and at random cuts the same bytes are sent."""
    whole = fed(new_session(), conversation)

    assert IDENTIFICATION in whole
    assert whole == fed_bytewise(new_session(), conversation)
    assert whole == fed_at_cuts(new_session(), conversation, seed)


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_one_by_one_the_same_is_answered(conversation: bytes) -> None:
    """A turn has one answer at most, and all turns together have what is said at once."""
    session = new_session()
    answers = [session.receive_one(conversation + SIGN_ON * 3, NOW)]
    while session.is_behind:
        answers.append(session.receive_one(b"", NOW))
    assert {0, 1} == {each.count(IDENTIFICATION) for each in answers}
    assert fed(new_session(), conversation + SIGN_ON * 3) == b"".join(answers)
