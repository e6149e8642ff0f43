from __future__ import annotations

import pytest

from pulse_unit.board import INPUT_BUTTON
from pulse_unit.config import UnitConfig, settings_of
from pulse_unit.errors import AttributeRefused, StoreError
from pulse_unit.gatt import PAIRINGS_MAX, GattService
from pulse_unit.hal.virtual import VirtualBoard
from pulse_unit.unit import PulseUnit
from shared.wire import gatt
from shared.wire.command import CLEAR, COMMAND_MAX, OBEYED, seal_command, seal_phase
from shared.wire.gatt import LogRequest, decode_result, encode_log_request
from shared.wire.oms import open_telegram
from shared.wire.telegram import FLAG_MAGNET, FLAG_TAMPER
from tests.pulse_unit.listening import KEY, board_of, pulse, run


class Desk:
    """A unit and its service, without any radio."""

    def __init__(self) -> None:
        self.board: VirtualBoard = board_of()
        self.unit = PulseUnit(self.board, UnitConfig())
        self.service = GattService(self.unit, self.board)
        self.service.connected()

    def read(self, attribute: int) -> bytes | int:
        """The value, or the error code."""
        try:
            return self.service.read(attribute, 2_000)
        except AttributeRefused as refused:
            return refused.code

    def phase(self, counter: int = 1) -> bytes:
        """A command that the unit obeys."""
        return seal_phase(self.board.aes, KEY, counter, 60_000)


@pytest.fixture
def desk() -> Desk:
    """With a peer that has paired."""
    desk = Desk()
    desk.service.secured()
    return desk


@pytest.mark.parametrize("attribute", range(len(gatt.UUIDS)))
def test_nothing_is_for_strangers(attribute: int) -> None:
    """Neither before the link is secured nor for the next peer after one that had secured it."""
    desk = Desk()
    refused = gatt.ATT_INSUFFICIENT_AUTHENTICATION
    assert (refused, refused) == (
        desk.read(attribute),
        desk.service.write(attribute, desk.phase(), 2_000),
    )
    desk.service.secured()
    desk.service.disconnected()
    desk.service.connected()
    assert refused == desk.read(attribute)
    assert OBEYED == desk.unit.obey(desk.phase(), 2_000)


@pytest.mark.parametrize("attribute", range(len(gatt.UUIDS)))
def test_an_attribute_is_for_what_it_says(desk: Desk, attribute: int) -> None:
    """What is not readable is not read, what is not writable is not written."""
    assert (attribute in gatt.READABLE) == isinstance(desk.read(attribute), bytes)
    is_refused = desk.service.write(attribute, b"", 2_000) == gatt.ATT_WRITE_NOT_PERMITTED
    assert (attribute in gatt.WRITABLE) != is_refused


def test_values_are_what_they_say(desk: Desk) -> None:
    """An authentic telegram that fits its bound, the settings, and no result yet."""
    link, settings, result = map(desk.read, (gatt.TELEGRAM, gatt.SETTINGS, gatt.RESULT))
    assert isinstance(link, bytes)
    assert isinstance(result, bytes)
    assert gatt.value_max(gatt.TELEGRAM) >= len(link)
    assert open_telegram(desk.board.aes, link, KEY).records
    assert settings_of(desk.unit.config) == settings
    assert gatt.NO_COMMAND == decode_result(result).code


def test_last_pulses_are_told_as_they_come(desk: Desk) -> None:
    """Each pulse that counts is the first of the list when it is read next."""
    assert gatt.encode_pulses(2, ()) == desk.read(gatt.PULSES)
    for number in range(1, 4):
        pulse(desk.board, number * 10_000)
        run(desk.unit, number * 10_000 + 2_000)
    told = desk.service.read(gatt.PULSES, 40_000)
    assert (40, (10, 20, 30)) == gatt.decode_pulses(told)


def test_flags_say_when_tampering_was_first_seen(desk: Desk) -> None:
    """Boot and uptime of each flag that is up, until a command clears it."""
    assert (0, None, None) == gatt.decode_flags(desk.service.read(gatt.FLAGS, 2_000))
    desk.unit.see_tamper(FLAG_TAMPER, 5_000)
    desk.unit.see_tamper(FLAG_TAMPER, 9_000)
    desk.unit.see_tamper(FLAG_MAGNET, 20_000)
    both = FLAG_TAMPER | FLAG_MAGNET
    assert (both, (1, 5), (1, 20)) == gatt.decode_flags(desk.service.read(gatt.FLAGS, 30_000))
    clear = seal_command(desk.board.aes, KEY, CLEAR, 1, FLAG_TAMPER.to_bytes(2, "little"))
    assert OBEYED == desk.unit.obey(clear, 40_000)
    assert (FLAG_MAGNET, None, (1, 20)) == gatt.decode_flags(desk.service.read(gatt.FLAGS, 50_000))


def test_a_result_is_notified_once(desk: Desk) -> None:
    """After a command, whether it was obeyed or not; before it there is nothing to say."""
    assert (False, None) == (desk.service.is_busy, desk.service.next_notification(20))
    for code in (OBEYED, 3):
        assert gatt.ATT_OK == desk.service.write(gatt.COMMAND, desk.phase(), 2_000)
        assert desk.service.is_busy
        notified = desk.service.next_notification(20)
        assert notified is not None
        assert (gatt.RESULT, desk.read(gatt.RESULT)) == notified
        assert (1, code) == (decode_result(notified[1]).counter, decode_result(notified[1]).code)
        assert not desk.service.is_busy


def test_a_write_that_is_too_long_is_refused(desk: Desk) -> None:
    """With its own error, whatever it says."""
    code = desk.service.write(gatt.COMMAND, bytes(COMMAND_MAX + 1), 2_000)
    assert gatt.ATT_INVALID_LENGTH == code


@pytest.mark.parametrize("data", [b"", b"\x09", b"\x01", bytes(15)])
def test_a_request_that_means_nothing_is_refused(desk: Desk, data: bytes) -> None:
    """And an answer that is being given goes on."""
    request = encode_log_request(LogRequest(1))
    desk.service.write(gatt.LOG_CONTROL, request, 2_000)
    assert gatt.ATT_VALUE_NOT_ALLOWED == desk.service.write(gatt.LOG_CONTROL, data, 2_000)
    assert desk.service.is_busy


def test_an_answer_stops_when_told(desk: Desk) -> None:
    """Or with the peer that asked."""
    request = encode_log_request(LogRequest(1))
    desk.service.write(gatt.LOG_CONTROL, request, 2_000)
    desk.service.write(gatt.LOG_CONTROL, encode_log_request(None), 2_000)
    assert not desk.service.is_busy
    desk.service.write(gatt.LOG_CONTROL, request, 2_000)
    desk.service.disconnected()
    assert not desk.service.is_busy


def test_a_telegram_without_a_counter_is_not_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory took no counter: the read is refused and nothing is said under an old one."""

    def worn(_: object, uptime_ms: int) -> bytes:
        raise StoreError("worn")

    monkeypatch.setattr(PulseUnit, "seal", worn)
    assert gatt.ATT_INSUFFICIENT_RESOURCES == desk.read(gatt.TELEGRAM)


def test_pairing_is_for_whoever_has_pressed_the_button() -> None:
    """Three attempts in its 90 seconds, none without it, and three more 90 seconds later."""
    desk = Desk()
    assert not desk.service.may_pair(2_000)
    desk.board.inputs = INPUT_BUTTON
    desk.unit.handle_timer(3_000)
    allowed = [desk.service.may_pair(3_000 + index) for index in range(PAIRINGS_MAX + 1)]
    assert [True] * PAIRINGS_MAX + [False] == allowed
    assert not desk.service.may_pair(92_999)
    desk.board.inputs = 0
    desk.unit.handle_timer(200_000)
    assert not desk.service.may_pair(200_000)
    desk.board.inputs = INPUT_BUTTON
    desk.unit.handle_timer(200_100)
    assert desk.service.may_pair(200_100)
