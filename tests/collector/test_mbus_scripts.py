from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector import BearerSettingError, MbusSlave
from collector.mbus_link import Unanswered
from collector.mbus_scripts import ANY, BusMaster, Refused, has_more, slave_of
from pulse_unit.slave import ERROR_DENIED, ERROR_KEY
from shared.wire.mbus import FCB, REQ_UD2, RSP_UD, Frame, response
from tests.collector.bus import Bus, Slave, count
from tests.pulse_unit.wired import COMMAND


def read_count(bus: Bus, master: BusMaster, slave: MbusSlave) -> int:
    """The count of a meter that answers with one message."""
    reading = bus.play(master.read(slave))
    assert isinstance(reading, list)
    (message,) = reading
    return count(message)


@pytest.mark.parametrize(
    "slave", [MbusSlave(primary=5), MbusSlave(primary=254), slave_of("12345678")]
)
def test_a_meter_is_read_again_and_again(slave: MbusSlave) -> None:
    """Each reading is a new one, by primary and secondary address and the one for all."""
    bus, master = Bus([Slave(5, "12345678")], echo=True), BusMaster()
    assert [1, 2, 3] == [read_count(bus, master, slave) for _ in range(3)]


def test_the_bit_toggles_with_each_new_request() -> None:
    """After a reset it is set; a repeated request has the same one."""
    bus, master = Bus([Slave(5, "12345678")]), BusMaster()
    for _ in range(3):
        read_count(bus, master, MbusSlave(primary=5))
    asked = [each.frame.control for each in bus.requests if each.frame.control != 0x40]
    assert [REQ_UD2 | FCB, REQ_UD2, REQ_UD2 | FCB] == asked


@pytest.mark.parametrize("seed", range(5))
def test_lost_frames_lose_no_reading(seed: int) -> None:
    """With one in five lost each way, most readings succeed, and none is told twice."""
    bus, master = Bus([Slave(5, "12345678")], seed=seed, loss=0.2), BusMaster()
    told = []
    for _ in range(50):
        reading = bus.play(master.read(MbusSlave(primary=5)))
        if isinstance(reading, list):
            told += [count(frame) for frame in reading]
    assert 40 < len(told)
    assert sorted(set(told)) == told


def test_who_is_not_there_is_silent() -> None:
    """By either address, after three tries."""
    bus, master = Bus([Slave(5, "12345678")]), BusMaster()
    assert Unanswered.SILENCE == bus.play(master.read(MbusSlave(primary=6)))
    assert 3 == len(bus.requests)
    assert Unanswered.SILENCE == bus.play(master.read(slave_of("87654321")))


def test_two_with_one_address_are_noise() -> None:
    """As when two new meters, both without an address, are connected."""
    bus, master = Bus([Slave(0, "12345678"), Slave(0, "87654321")]), BusMaster()
    assert Unanswered.NOISE == bus.play(master.read(MbusSlave(primary=0)))


@pytest.mark.parametrize("slave", [MbusSlave(primary=5), slave_of("12345678")])
def test_a_command_is_done_once(slave: MbusSlave) -> None:
    """However many frames are lost on the way."""
    for seed in range(5):
        wired = Slave(5, "12345678")
        bus, master = Bus([wired], seed=seed, loss=0.2), BusMaster()
        for _ in range(10):
            before = len(wired.unit.obeyed)
            if bus.play(master.command(slave, COMMAND[1:])) is None:
                assert before + 1 == len(wired.unit.obeyed)


@pytest.mark.parametrize(
    ("refusal", "error", "sentence"),
    [
        (2, ERROR_KEY, "the command is not authentic: is it this unit's key"),
        (3, ERROR_DENIED, "it has obeyed a later command"),
        (5, 0, "it answers with the application error 0"),
    ],
)
def test_a_refused_command_says_why(refusal: int, error: int, sentence: str) -> None:
    """The silence after it is explored; the next reading is data again."""
    wired = Slave(5, "12345678")
    bus, master = Bus([wired]), BusMaster()
    wired.unit.refusal = refusal
    assert Refused(sentence) == bus.play(master.command(MbusSlave(primary=5), COMMAND[1:]))
    assert 1 == read_count(bus, master, MbusSlave(primary=5))


def test_a_meter_that_was_replaced_is_read() -> None:
    """The new one knows nothing of the bit, and is reset."""
    bus, master = Bus([Slave(5, "12345678")]), BusMaster()
    read_count(bus, master, MbusSlave(primary=5))
    bus.slaves[0] = Slave(5, "12345679")
    assert 1 == read_count(bus, master, MbusSlave(primary=5))


def test_every_primary_address_is_looked_at() -> None:
    """Those that answer are found, the others cost one request each."""
    bus, master = Bus([Slave(5, "12345678"), Slave(250, "00000001")]), BusMaster()
    found: list[MbusSlave] = []
    bus.play(master.scan_primary(lambda slave, told: found.append(slave)))
    assert [MbusSlave(primary=5), MbusSlave(primary=250)] == found
    assert 251 + 2 == len(bus.requests)


@settings(max_examples=20)
@given(numbers=st.sets(st.integers(0, 99_999_999), max_size=6), close=st.booleans())
def test_every_serial_is_found(numbers: set[int], close: bool) -> None:
    """However alike they are: each once, with the address that selects it alone."""
    serials = sorted(f"{number % 100 if close else number:08d}" for number in numbers)
    serials = sorted(set(serials))
    bus, master = Bus([Slave(0, serial) for serial in serials]), BusMaster()
    found: list[MbusSlave] = []
    doubtful: list[MbusSlave] = []
    bus.play(master.scan_secondary(lambda slave, told: found.append(slave), doubtful.append))
    assert serials == [str(slave).split()[0] for slave in found]
    assert [] == doubtful
    for slave in found:
        assert 1 <= read_count(bus, master, slave)


def test_two_with_one_serial_are_doubtful() -> None:
    """Two makers may use the same digits; the scan says where."""
    bus = Bus([Slave(0, "12345678"), Slave(0, "12345678", "ABC"), Slave(0, "00000001")])
    found: list[MbusSlave] = []
    doubtful: list[MbusSlave] = []
    scan = BusMaster().scan_secondary(lambda slave, told: found.append(slave), doubtful.append)
    bus.play(scan)
    assert ["00000001"] == [str(slave).split()[0] for slave in found]
    assert [slave_of("12345678")] == doubtful


def test_an_answer_may_go_on_in_another_message() -> None:
    """DIF 1F at its end says so; 0F, an enciphered answer or nonsense do not."""
    address = bytes.fromhex("7856341219210103")
    for records, expected in ((b"\x01\x13\x05\x1f", True), (b"\x0f", False), (b"\x04\x13", False)):
        assert expected == has_more(response(5, address, 1, 0, records))
    enciphered = bytearray(response(5, address, 1, 0, b"\x1f" * 16).user_data)
    enciphered[12] = 0x05
    assert not has_more(Frame(RSP_UD, 5, bytes(enciphered)))
    assert not has_more(Frame(RSP_UD, 5, b"\x78\x1f"))


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({}, "a slave has either a primary or a secondary address"),
        ({"primary": 1, "secondary": ANY}, "a slave has either a primary or a secondary address"),
        ({"primary": 251}, "no slave has the primary address 251"),
        ({"secondary": bytes(7)}, "a secondary address has eight bytes"),
    ],
)
def test_what_is_no_address_is_refused(address: dict[str, object], sentence: str) -> None:
    """At once, with the reason."""
    with pytest.raises(BearerSettingError) as caught:
        MbusSlave(**address)  # type: ignore[arg-type]  # whatever somebody wrote
    assert sentence == str(caught.value)
