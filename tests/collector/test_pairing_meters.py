"""Pairing of meters of other makers, of units that advertise, and of units that come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from collector import CountReceived, ReceivedFrame, TooOld
from collector.cli import main
from collector.desk import Desk
from collector.errors import PairingError, PairingStepError, UnitRecordError
from collector.pairing import PairingSession, PairingState
from collector.particulars import PairingPlan, other_identity
from collector.segments import channel_segments, register_l
from collector.station import Station
from collector.storage.directory import DataDirectory
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.address import secondary_address
from shared.wire.advert import advert_key, count_objects, seal_advert
from shared.wire.mbus import encode_frame, response
from shared.wire.seal import link_address, seal_telegram
from shared.wire.seal_mode_5 import seal_telegram_mode_5
from shared.wire.wmbus import frame_a, frame_b
from tests.collector.bench import LABEL, MPRN, Bench, meter
from tests.collector.frames import KEY, SERIAL, at, received

METER = "12345678"
# Published with wmbusmeters: a heat cost allocator of Techem's own kind
TECHEM = (
    "2F446850313233347462A2069F255900B0293100000003060609060306090706060505090505050504"
    "07040605070500"
)
ADDRESS = bytes.fromhex("C0FFEE123456")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[DataDirectory]:
    """An open data directory."""
    with DataDirectory.open(tmp_path / "home") as opened:
        yield opened


def records(litres: int) -> bytes:
    """A volume in BCD, in litres."""
    return bytes.fromhex("0c13") + bytes.fromhex(f"{litres:08d}")[::-1]


def mode_7(litres: int, number: int) -> bytes:
    """Of an authentic meter, over radio."""
    return frame_a(
        seal_telegram(AesBlock, KEY, METER, records(litres), number, number, manufacturer="ELS")
    )


def mode_5(litres: int, number: int) -> bytes:
    """Of a meter that enciphers and proves nothing."""
    return frame_b(
        seal_telegram_mode_5(AesBlock, KEY, METER, records(litres), number, manufacturer="ELS")
    )


def plain(litres: int, number: int) -> bytes:
    """Of a meter that says everything in plain."""
    link = b"\x44" + link_address(METER, "ELS", 1, 3) + b"\x7a" + bytes([number, 0, 0, 0])
    link += records(litres)
    return bytes([len(link)]) + link


def mode_9() -> bytes:
    """Of a meter that speaks what nobody here does."""
    link = b"\x44" + link_address(METER, "ELS", 1, 3) + b"\x7a\x01\x00\x20\x09" + bytes(32)
    return bytes([len(link)]) + link


def wired(litres: int, number: int) -> bytes:
    """Of a meter on a wire."""
    return encode_frame(
        response(5, secondary_address(METER, "ELS", 1, 3), number, 0, records(litres))
    )


MAKERS = {
    "mode 7": (mode_7, KEY, {}),
    "mode 5": (mode_5, KEY, {"allow_unauthenticated": True}),
    "plain": (plain, None, {"allow_unauthenticated": True}),
    "wired": (wired, None, {"allow_unauthenticated": True}),
}


@pytest.mark.parametrize(("send", "key", "how"), MAKERS.values(), ids=list(MAKERS))
def test_a_meter_of_another_maker_is_paired(
    directory: DataDirectory, send: object, key: bytes | None, how: dict[str, object]
) -> None:
    """Its total goes on in steps of the weight that was told, from the reading at that moment."""
    station = Station(directory, at(0))
    plan = PairingPlan(manufacturer="ELS", selector="volume", test_pulses=2, **how)
    pairing = PairingSession(station.plan(plan))
    pairing.give_identity(METER, key, at(0))
    pairing.receive(received(send(123_450, 1), 10), at(10))
    assert PairingState.METER is pairing.state
    pairing.receive(received(send(123_455, 2), 20), at(20))
    pairing.give_meter(meter("123.455", weight="1 l"), at(21))
    assert PairingState.TEST_BURN is pairing.state
    pairing.receive(received(send(123_456, 3), 30), at(30))
    pairing.receive(received(send(123_457, 4), 40), at(40))
    assert "123.457 m3" == str(pairing.expected)
    pairing.confirm(at(41), agrees=True)
    document = station.commit(pairing.outcome(), at(42))
    assert (123_455, "ELS", not how) == (
        document["index"]["count"],
        document["unit"]["manufacturer"],
        document["unit"]["authenticated"],
    )
    assert key == directory.keystore.get(METER)
    events = station.receive([received(send(123_460, 5), 900)], at(900))
    assert isinstance(events[0], CountReceived)
    assert 5 == register(Station(directory, at(1000)))


def register(station: Station) -> Fraction:
    """Litres of the channel."""
    return register_l(
        channel_segments(station.pairings.segments(), "gas"), station.collector.register
    )


def test_a_meter_of_another_maker_is_paired_by_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a label and without a key, from a recording; a wrong order is one sentence."""
    monkeypatch.setattr("collector.cli_options.time.sleep", lambda _: None)
    call = tmp_path / "call.txt"
    lines = [f"{at(10 * n).isoformat()} {plain(5000 + n, n).hex()}\n" for n in range(20)]
    call.write_text("".join(lines))
    told = ["--serial", METER, "--mprn", MPRN, "--meter-serial", "W1", "--weight", "1 l"]
    told += ["--dial", "5.000", "--manufacturer", "ELS", "--yes", "--json"]
    words = ["pair", "--data", str(tmp_path / "home"), "--replay", str(call), *told]
    refused = CliRunner().invoke(main, words)
    assert 2 == refused.exit_code
    assert "--json asks nothing, so it needs --key." in refused.stderr
    refused = CliRunner().invoke(main, [*words, "--key", KEY.hex()])
    assert 1 == refused.exit_code
    assert "prove nothing" in refused.stderr
    refused = CliRunner().invoke(main, [*words, "--allow-unauthenticated", "--medium", "beer"])
    assert 1 == refused.exit_code
    assert "no medium is called 'beer'" in refused.stderr
    done = CliRunner().invoke(main, [*words, "--allow-unauthenticated"])
    assert 0 == done.exit_code, done.output
    assert '"manufacturer": "ELS"' in done.stdout


@pytest.mark.parametrize(
    ("data", "how", "said"),
    [
        (plain(5, 1), {}, "prove nothing"),
        (mode_5(5, 1), {}, "prove nothing"),
        (mode_7(5, 1), {"medium": 7}, "name its medium"),
        (mode_7(5, 1), {"selector": "count"}, "no such count"),
        (mode_9(), {}, "cannot be read: security mode 9 (AES-GCM) is not spoken here"),
        (mode_7(5, 1)[:20] + bytes(2) + mode_7(5, 1)[22:], {}, "damaged"),
    ],
)
def test_why_a_meter_is_not_taken_is_said(data: bytes, how: dict[str, object], said: str) -> None:
    """The advice names what to give, and nothing is paired."""
    plan = PairingPlan(**({"manufacturer": "ELS", "selector": "volume"} | how))
    pairing = PairingSession(plan)
    pairing.give_identity(METER, KEY, at(0))
    pairing.receive(received(data, 10), at(10))
    pairing.handle_timer(at(0) + timedelta(seconds=90))
    assert PairingState.ENDED is pairing.state
    assert said in str(pairing.advice)


def test_a_neighbour_that_nobody_understands_is_not_damage() -> None:
    """A heat cost allocator of its maker's own kind says nothing of the receiver's place."""
    pairing = PairingSession(PairingPlan(manufacturer="ELS", selector="volume"))
    pairing.give_identity(METER, KEY, at(0))
    pairing.receive(received(bytes.fromhex(TECHEM), 10), at(10))
    assert (1, 0) == (pairing.signal.frames, pairing.signal.damaged)
    assert ["the unit 12345678 is not heard: stay within a few metres"] == (pairing.advice)


def test_an_enciphering_meter_needs_its_key() -> None:
    """It is told apart from a wrong key."""
    plan = PairingPlan(manufacturer="ELS", selector="volume", allow_unauthenticated=True)
    pairing = PairingSession(plan)
    pairing.give_identity(METER, None, at(0))
    pairing.receive(received(mode_5(5, 1), 10), at(10))
    assert "give its key" in str(pairing.advice)


def test_particulars_of_another_maker_are_checked() -> None:
    """A maker has three letters, a volume or a count is paired, and a key has its form."""
    with pytest.raises(PairingError, match="three capital letters"):
        PairingPlan(manufacturer="Elster")
    energy = PairingSession(PairingPlan(manufacturer="ELS", selector="energy"))
    with pytest.raises(PairingError, match="no dial"):
        energy.give_identity(METER, KEY, at(0))
    keyless = PairingSession(PairingPlan(manufacturer="ELS", selector="volume"))
    with pytest.raises(PairingError, match="proves nothing"):
        keyless.give_identity(METER, None, at(0))
    assert (METER, None) == other_identity(" 1234 5678 ", "")
    assert (METER, KEY) == other_identity(METER, KEY.hex())
    for serial, key in (("1234567", ""), (METER, "00" * 15), (METER, "zz" * 16)):
        with pytest.raises(PairingError):
            other_identity(serial, key)


def advert(count: int, counter: int, seconds: float, key: bytes = KEY) -> ReceivedFrame:
    """An advert with a count."""
    objects = count_objects(counter & 0xFF, count, None)
    data = seal_advert(AesBlock, advert_key(AesBlock, key, ADDRESS), ADDRESS, objects, counter)
    return replace(received(data, seconds, 60), address=ADDRESS)


def test_an_advert_from_before_the_pairing_is_refused(directory: DataDirectory) -> None:
    """The pairing hears where a unit advertises, and nothing that it sent before counts."""
    bench = Bench()
    station = Station(directory, bench.now)
    desk = Desk(station)
    told = {"request": "pair.begin", "label": LABEL.qr_text, "test_pulses": 0}
    desk.perform(told, bench.now)
    desk.receive(advert(7, 900, 1, bytes(16)), bench.now)  # a neighbour's
    for counter in (60, 62, 59):
        desk.receive(advert(0, counter, 1), bench.now)
    bench.press()
    bench.step(desk.receive, 5)
    told = {"request": "pair.meter", "mprn": MPRN, "meter_serial": "G4", "weight": "0.01 m3"}
    assert 0 == desk.perform(told | {"dial": "1234.567"}, bench.now)["damaged"]
    bench.step(desk.receive, 40)
    desk.handle_timer(bench.now)
    desk.perform({"request": "pair.commit"}, bench.now)
    record = station.collector.unit(SERIAL)
    assert (ADDRESS, 62) == (record.address, record.base_advert)
    for opened in (station, Station(directory, bench.now)):
        for counter in (61, 60, 5):
            (refused,) = opened.receive([advert(3, counter, 100)], bench.now)
            assert isinstance(refused, TooOld)
    (taken,) = station.receive([advert(4, 63, 101)], bench.now)
    assert isinstance(taken, CountReceived)
    assert 40 == register(station)


def unpaired_and_back(
    directory: DataDirectory, plan: PairingPlan, weight: str
) -> tuple[Station, Bench]:
    """Pair the bench's unit with ten litres, take it off, and pair it again as a plan says."""
    bench = Bench()
    station = Station(directory, bench.now)
    pairing = PairingSession(station.plan(PairingPlan(test_pulses=0)))
    bench.pair(pairing)
    station.commit(pairing.outcome(), bench.now)
    station.unpair(SERIAL, bench.now)
    again = PairingSession(station.plan(plan))
    bench.pair(again, meter("05000.000", meter_serial="B2", weight=weight))
    station.commit(again.outcome(), bench.now)
    return station, bench


def test_a_unit_that_comes_back_has_the_new_weight(directory: DataDirectory) -> None:
    """Weight, flow, period and channel are those of the new pairing; the old pulses stay."""
    plan = PairingPlan(test_pulses=0, channel="annexe", max_flow_l_h=2500, period_s=600)
    station, bench = unpaired_and_back(directory, plan, "1 ft3")
    for opened in (station, Station(directory, bench.now)):
        record = opened.collector.unit(SERIAL)
        assert (Fraction("28.316846592"), "annexe", 2500, 600) == (
            record.weight.litres_per_pulse,
            record.channel,
            record.max_flow_l_h,
            record.period_s,
        )
        assert 0 == record.base_count
    bench.turn(4)
    events: list[object] = []
    bench.step(lambda frame, when: events.extend(station.receive([frame], when)), 1000)
    assert 4 == station.collector.register(SERIAL)
    segments = channel_segments(station.pairings.segments(), "annexe")
    assert 4 * Fraction("28.316846592") == register_l(segments, station.collector.register)


def test_a_unit_does_not_come_back_as_another(directory: DataDirectory) -> None:
    """Where its telegrams would tell another count its register could not go on."""
    plan = PairingPlan(test_pulses=0, allow_unauthenticated=True)
    with pytest.raises(UnitRecordError, match="another security"):
        unpaired_and_back(directory, plan, "0.01 m3")
    again = Station(directory, at(5000))
    assert {} == again.open_segments()
    assert not again.collector.unit(SERIAL).allow_unauthenticated


def test_a_plain_telegram_never_pairs_a_unit_of_ours() -> None:
    """Whoever knows the serial alone cannot pair."""
    pairing = PairingSession(PairingPlan(any_telegram=True))
    pairing.give_identity(SERIAL, KEY, at(0))
    link = b"\x46" + link_address(SERIAL, "HHY", 1, 3) + b"\x7a\x01\x00\x00\x00" + records(5)
    pairing.receive(received(bytes([len(link)]) + link, 1), at(1))
    assert 1 == pairing.signal.unproven
    with pytest.raises(PairingStepError):
        pairing.give_meter(meter(), at(2))
