from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from collector import KeystoreError, UnitPairedError, VirtualRadio
from collector.dial import DialReading
from collector.errors import (
    DialError,
    IndexLowerError,
    MprnError,
    PairingError,
    PairingStepError,
)
from collector.mprn import mprn, mprn_twice
from collector.pairing import PairingSession, PairingState
from collector.particulars import PairingPlan, typed_identity
from shared.errors import LabelCheckError, UnitsError
from shared.label import UnitLabel
from shared.units import PULSE_1_FT3, PULSE_10_L
from tests.collector.bench import LABEL, MPRN, Bench, meter
from tests.collector.frames import KEY, SERIAL, heard

OTHER_KEY = bytes(range(16))


def session(**plan: object) -> PairingSession:
    """A session for the channel `gas`."""
    return PairingSession(PairingPlan(**plan))


def test_from_qr_text_to_commit() -> None:
    """The dial's reading belongs to the count at that moment, and the test burn counts on."""
    bench, pairing = Bench(), session()
    label = UnitLabel.parse(LABEL.qr_text)
    bench.turn(5)  # before anybody came
    bench.step(lambda *_: None, 60)
    bench.pair(pairing, label=label)
    assert PairingState.COMMIT is pairing.state
    outcome = pairing.outcome()
    assert (SERIAL, KEY, 5) == (outcome.record.serial, outcome.key, outcome.record.base_count)
    assert PULSE_10_L == outcome.record.weight
    assert 3 == outcome.test_pulses
    assert "1234.597 m3" == str(outcome.expected)
    assert outcome.base_key == outcome.record.base_key
    assert 8 == outcome.heard.telegram.count
    assert len(outcome.frames) > 3
    pairing.committed(bench.now)
    assert PairingState.PAIRED is pairing.state
    assert pairing.is_over


def test_a_unit_that_listens_is_told_phase_weight_and_index() -> None:
    """It obeys one command in a reply window, and its telegrams then tell the dial's volume."""
    bench, pairing = Bench(), session(max_flow_l_h=2500)
    bench.pair(pairing, meter("01234.567", weight="1 ft3"))
    outcome = pairing.outcome()
    assert [True, True] == bench.obeyed
    assert outcome.is_configured
    assert outcome.phased_ms is not None
    config = bench.unit.unit.config
    assert (28_316_846_592, 2500, 1_234_567) == (
        config.pulse_weight_nl,
        config.flow_max_l_per_h,
        config.initial_index_l,
    )
    assert PULSE_1_FT3 == outcome.record.weight
    assert 1_234_567 + 3 * 28 == outcome.heard.telegram.volume_l
    # Any later collector's counter is above: it begins at that time's seconds.
    assert bench.now_ms // 1000 - 120 < outcome.command_counter <= bench.now_ms // 1000


def test_a_one_way_unit_is_paired_without_a_word() -> None:
    """Nothing is sent, and the outcome says that it could not be told."""
    bench, pairing = Bench(radio=VirtualRadio(1, delay_max_s=None)), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    frames: list[object] = []
    bench.radio.receive_until(bench.now_ms)
    bench.step(lambda *_: None, 85)
    frames = bench.radio.receive_until(bench.now_ms + 7 * 3_600_000)
    for frame in frames:
        pairing.receive(frame, bench.now)
    assert [] == pairing.commands(bench.now)
    pairing.give_meter(meter(), bench.now)
    assert PairingState.TEST_BURN is pairing.state


def test_lossy_radio() -> None:
    """At 70 % loss both ways it takes longer, and the result is the same."""
    bench, pairing = Bench(radio=VirtualRadio(7, delay_max_s=0, loss=0.7)), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    bench.run(pairing, 85)
    pairing.give_meter(meter(), bench.now)
    bench.turn(3)
    for _ in range(6):
        bench.press()
        bench.run(pairing, 85)
    assert PairingState.CONFIRM is pairing.state
    assert "1234.597 m3" == str(pairing.expected)


def test_no_test_burn() -> None:
    """It can be left out, and the outcome says so."""
    bench, pairing = Bench(), session(test_pulses=0)
    bench.pair(pairing)
    assert pairing.outcome().test_pulses is None


def test_wrong_key_is_told_apart_from_no_signal() -> None:
    """A unit whose telegrams the key does not open is heard; the advice is to read the label."""
    bench, pairing = Bench(), session()
    pairing.give_identity(SERIAL, OTHER_KEY, bench.now)
    bench.press()
    bench.run(pairing, 60)
    assert PairingState.SIGNAL is pairing.state
    assert pairing.signal.key_refused > 5
    assert "the key is not its" in pairing.advice[0]
    assert KEY.hex() not in str(pairing.advice)
    bench.run(pairing, 31)
    assert PairingState.ENDED is pairing.state
    assert "read the label" in pairing.advice[0]


def test_no_signal() -> None:
    """After 90 s without a frame it ends; after 30 s it asks to look at the receiver."""
    bench, pairing = Bench(radio=VirtualRadio(1, loss=1.0)), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    assert bench.now + timedelta(seconds=90) == pairing.next_timer()
    bench.press()
    bench.run(pairing, 29)
    assert ["is not heard"] == [
        words for words in ("is not heard", "nothing at all") if words in str(pairing.advice)
    ]
    bench.run(pairing, 60)
    assert PairingState.SIGNAL is pairing.state
    bench.run(pairing, 2)
    assert PairingState.ENDED is pairing.state
    assert ["is not heard", "nothing at all"] == [
        words for words in ("is not heard", "nothing at all") if words in str(pairing.advice)
    ]


def test_another_unit_is_heard() -> None:
    """A neighbour's unit proves that the receiver works."""
    neighbour, pairing = Bench("00000002", OTHER_KEY), session()
    pairing.give_identity(LABEL.serial, LABEL.key, neighbour.now)
    neighbour.press()
    neighbour.run(pairing, 30)
    assert PairingState.SIGNAL is pairing.state
    assert {"00000002"} == pairing.signal.strangers
    assert "the receiver works" in str(pairing.advice)


def test_a_unit_nobody_pressed_is_not_taken() -> None:
    """Its ordinary telegrams are heard, and the advice is to press its button."""
    bench, pairing = Bench(), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.run(pairing, 60)
    assert PairingState.SIGNAL is pairing.state
    assert 1 == pairing.signal.accepted
    assert "press its button" in pairing.advice[0]
    assert [] == bench.obeyed


def test_any_telegram_will_do_where_a_script_says_so() -> None:
    """An authentic one, that is: nobody has to be at the unit."""
    bench, pairing = Bench(), session(any_telegram=True, test_pulses=0)
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.run(pairing, 10)
    assert PairingState.METER is pairing.state
    assert [True] == bench.obeyed


def test_a_connection_does_not_say_that_the_button_was_pressed() -> None:
    """Over Bluetooth the advice is the option, not the button, which nobody would hear of."""
    bench, pairing = Bench(), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    pairing.receive(replace(heard(3, 1, 1), bearer="ble"), bench.now)
    assert PairingState.SIGNAL is pairing.state
    assert "begin again and say that any telegram will do" in pairing.advice[0]
    assert 1 == len(pairing.advice)


def test_damaged_frames_and_a_weak_signal() -> None:
    """Both are said, whatever else is; a frame or two that noise has damaged is nothing."""
    bench, pairing = Bench(radio=VirtualRadio(3, delay_max_s=0, corrupt=1.0)), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    bench.run(pairing, 2)
    assert pairing.signal.damaged
    assert "damaged" not in str(pairing.advice)
    bench.run(pairing, 58)
    assert pairing.signal.damaged > 5
    assert "damaged" in str(pairing.advice)
    pairing.signal.rssi_best_dbm = -101
    assert "weak, -101 dBm" in str(pairing.advice)


def test_no_pulses() -> None:
    """After ten minutes without the wanted pulses it ends, and says what to try."""
    bench, pairing = Bench(), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    bench.run(pairing, 2)
    pairing.give_meter(meter(), bench.now)
    bench.turn(2)
    bench.run(pairing, 300)
    assert PairingState.TEST_BURN is pairing.state
    assert "off its mark" in str(pairing.advice)
    bench.run(pairing, 340)
    assert PairingState.ENDED is pairing.state
    with pytest.raises(PairingStepError):
        pairing.outcome()


def test_an_index_that_is_denied_is_read_again() -> None:
    """The dial is read anew, as of the count then, and the test burn begins again."""
    bench, pairing = Bench(), session()
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    bench.run(pairing, 2)
    pairing.give_meter(meter("01234.000"), bench.now)
    bench.turn(3)
    bench.run(pairing, 60)
    pairing.confirm(bench.now, agrees=False)
    assert PairingState.METER is pairing.state
    pairing.give_meter(meter("01324.030"), bench.now)
    bench.press()
    bench.turn(3)
    bench.run(pairing, 60)
    assert "1324.060 m3" == str(pairing.expected)
    pairing.confirm(bench.now, agrees=True)
    assert 3 == pairing.outcome().record.base_count


def test_index_lower_than_before() -> None:
    """It is refused for the same meter, unless the dial has turned over, and can be corrected."""
    bench = Bench()
    pairing = session(index=DialReading.parse("1234.568"), index_meter="G4 A 123", test_pulses=0)
    pairing.give_identity(LABEL.serial, LABEL.key, bench.now)
    bench.press()
    bench.run(pairing, 2)
    with pytest.raises(IndexLowerError, match=r"showed 1234.568 m3 before, and 1234.567 m3 is"):
        pairing.give_meter(meter("1234.567"), bench.now)
    with pytest.raises(DialError, match="counts m3"):
        pairing.give_meter(meter("99999", dial_unit="ft3"), bench.now)
    assert PairingState.METER is pairing.state
    pairing.give_meter(meter("00000.001", has_turned_over=True), bench.now)


def test_another_meter_begins_where_it_likes() -> None:
    """A lower index is right for a new meter."""
    bench = Bench()
    pairing = session(index=DialReading.parse("1234.568"), index_meter="old", test_pulses=0)
    bench.pair(pairing, meter("0.001"))
    assert PairingState.COMMIT is pairing.state


def test_a_paired_unit_is_refused() -> None:
    """The first step says so, and does not advise to unpair it: a meter would not take it back."""
    with pytest.raises(UnitPairedError, match=r"00000001 is paired already$"):
        session(taken={SERIAL}).give_identity(LABEL.serial, LABEL.key, Bench().now)


def test_a_key_that_is_none_is_refused() -> None:
    """The session still waits for a label."""
    pairing = session()
    with pytest.raises(KeystoreError):
        pairing.give_identity(SERIAL, b"short", Bench().now)
    assert PairingState.LABEL is pairing.state


def test_steps_out_of_order_are_refused() -> None:
    """Each says what is waited for, and changes nothing."""
    bench, pairing = Bench(), session()
    steps = (
        lambda: pairing.give_meter(meter(), bench.now),
        lambda: pairing.confirm(bench.now, agrees=True),
        lambda: pairing.committed(bench.now),
        pairing.outcome,
    )
    for step in steps:
        with pytest.raises(PairingStepError, match="waits for the unit's label"):
            step()
    assert PairingState.LABEL is pairing.state
    pairing.cancel()
    assert PairingState.ENDED is pairing.state
    with pytest.raises(PairingStepError):
        pairing.give_identity(LABEL.serial, LABEL.key, bench.now)


def test_nothing_secret_is_shown() -> None:
    """Neither session nor outcome shows the key."""
    bench, pairing = Bench(), session()
    bench.pair(pairing)
    shown = f"{pairing!r}{pairing.outcome()!r}{pairing.signal!r}"
    assert KEY.hex() not in shown
    assert repr(KEY) not in shown


@pytest.mark.parametrize("text", ["3938424403", " 39 3842 4403 ", "00000000", "1000005"])
def test_mprns(text: str) -> None:
    """Check digits that agree, in any spacing, of 6 to 10 digits."""
    assert "".join(text.split()) == mprn(text)


@pytest.mark.parametrize(
    "text", ["3938424404", "3938424430", "9338424403", "39384", "39384244031", "39384244O3", ""]
)
def test_no_mprns(text: str) -> None:
    """A wrong digit, two that changed places, another length, a letter."""
    with pytest.raises(MprnError):
        mprn(text)


def test_mprn_is_given_twice() -> None:
    """Two right ones that differ are refused."""
    assert MPRN == mprn_twice(MPRN, "3938 4244 03")
    with pytest.raises(MprnError, match="differ"):
        mprn_twice(MPRN, "1000005")


def test_every_wrong_digit_of_an_mprn_is_caught() -> None:
    """The modulus is prime and no weight is a multiple of it."""
    wrong = [
        MPRN[:at] + digit + MPRN[at + 1 :]
        for at in range(len(MPRN))
        for digit in "0123456789"
        if digit != MPRN[at]
    ]
    for text in wrong:
        with pytest.raises(MprnError):
            mprn(text)


@pytest.mark.parametrize(
    ("text", "unit", "litres"),
    [
        ("01234.567", "m3", Fraction(1_234_567)),
        ("0", "m3", Fraction(0)),
        ("1234", "100ft3", Fraction("28.316846592") * 123_400),
        ("12 345.6", "ft3", Fraction("28.316846592") * Fraction("12345.6")),
    ],
)
def test_dials(text: str, unit: str, litres: Fraction) -> None:
    """Metric and imperial dials are exact."""
    assert litres == DialReading.parse(text, unit).litres


@pytest.mark.parametrize("text", ["", "12,5", "-1", "1.", ".5", "1e3", "12345678901", "١٢"])
def test_no_dials(text: str) -> None:
    """What is no number of a dial is refused."""
    with pytest.raises(DialError):
        DialReading.parse(text)


def test_imperial_dials_show_what_was_read() -> None:
    """To the thousandth, also where a litre is no whole part of it."""
    assert "1234.500 100ft3" == str(DialReading.parse("1234.5", "100ft3"))
    assert "1234.510 100ft3" == str(
        DialReading.parse("1234.5", "100ft3").plus(PULSE_1_FT3.litres(1))
    )


def test_other_particulars_are_checked() -> None:
    """Typed errors for the dial's unit, the weight and the meter's serial."""
    with pytest.raises(DialError):
        meter(dial_unit="therm")
    with pytest.raises(UnitsError):
        meter(weight="many")
    with pytest.raises(PairingError):
        meter(meter_serial="G4\x1b[31m")


def test_typed_labels() -> None:
    """Serial and key are typed with their check characters; a script may leave them out."""
    _, serial, key, _ = LABEL.qr_text.split(":")
    assert (SERIAL, KEY) == typed_identity(serial, key)
    assert (SERIAL, KEY) == typed_identity(f"{SERIAL} {serial[8]}", key.lower())
    assert (SERIAL, KEY) == typed_identity(SERIAL, KEY.hex(), needs_check=False)
    with pytest.raises(PairingError, match="one more character"):
        typed_identity(SERIAL, KEY.hex())
    with pytest.raises(LabelCheckError, match="serial"):
        typed_identity("00000010" + serial[8], key)
    with pytest.raises(LabelCheckError, match="key") as refused:
        typed_identity(serial, "1" + key[1:])
    assert key[1:] not in str(refused.value)
    with pytest.raises(PairingError):
        typed_identity("0000000G", KEY.hex(), needs_check=False)
