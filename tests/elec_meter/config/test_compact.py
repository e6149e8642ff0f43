from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from elec_meter.config import (
    ECONOMY_7_LOCAL,
    ECONOMY_7_UTC,
    ChangeBaseError,
    ChangeCorruptError,
    ChangeError,
    ChangeInvalidError,
    ChangeTruncatedError,
    MeterConfig,
    PassiveTariff,
    SwitchConfig,
    TariffConfig,
    apply_change,
    decode_document,
    demo_config,
    encode_change,
    encode_document,
)
from elec_meter.config.compact import MAX_CHANGE_BYTES
from elec_meter.config.shape import Maybe, Rows, Scalar, Shape, Table, table_of
from shared.wire.crc import crc_en13757
from tests.elec_meter.config.strategies import meter_configs
from tests.elec_meter.config.tariff_strategies import EXAMPLES

NUMBERING = Path(__file__).parent / "numbering.txt"
MAX_SWITCH_CHANGE = 11
MAX_ECONOMY_7 = 60


def with_switch(at: str) -> MeterConfig:
    """The demo's meter with another end of the night."""
    config = demo_config()
    calendar = config.tariff.import_
    switches = (calendar.switches[0], SwitchConfig(at=at, rate=1))
    tariff = replace(config.tariff, import_=replace(calendar, switches=switches))
    return replace(config, tariff=tariff)


def described(shape: Shape) -> str:
    """A shape in the words of the numbering."""
    match shape:
        case Scalar(kind=kind, choices=choices):
            return f"{kind.value}{f' {choices}' if choices else ''}"
        case Rows(element=element):
            return f"list of {described(element)}"
        case Maybe(inner=inner):
            return f"{described(inner)}, or nothing"
        case Table(name=name):
            return name


def tables(shape: Shape) -> Iterator[Table]:
    """Every table of the document, outer ones first."""
    if isinstance(shape, Table):
        yield shape
        for field in shape.fields:
            yield from tables(field.shape)
    elif isinstance(shape, (Rows, Maybe)):
        yield from tables(shape.element if isinstance(shape, Rows) else shape.inner)


def numbering() -> list[str]:
    """One line for every field: table, number, name, shape, default."""
    return [
        f"{table.name} {field.number} {field.name}: {described(field.shape)}, "
        + ("required" if field.required else _default(field.default))
        for table in {each.name: each for each in tables(table_of())}.values()
        for field in table.fields
    ]


def _default(value: object) -> str:
    return "default of its table" if isinstance(value, dict) else f"default {value!r}"


def test_numbers_shapes_and_defaults_of_fields_stay() -> None:
    """What both ends know without being told never changes: new fields come last in their table."""
    assert NUMBERING.read_text().splitlines() == numbering()


@pytest.mark.parametrize("at", ["08:00", "07:31", "23:59", "00:00"])
def test_another_switch_time_is_a_handful_of_bytes(at: str) -> None:
    """One changed time of Economy 7 fits into the shortest messages."""
    old, new = demo_config(), with_switch(at)
    change = encode_change(old, new)
    assert MAX_SWITCH_CHANGE >= len(change)
    assert new == apply_change(old, change)


@pytest.mark.parametrize("calendar", [ECONOMY_7_UTC, ECONOMY_7_LOCAL], ids=["utc", "local"])
def test_a_new_economy_7_is_small(calendar: object) -> None:
    """Rates and both switches of a meter that had one rate."""
    old = MeterConfig()
    new = replace(old, tariff=TariffConfig(import_=calendar))
    change = encode_change(old, new)
    assert MAX_ECONOMY_7 >= len(change)
    assert new == apply_change(old, change)


def test_a_change_is_made_of_numbers_and_values() -> None:
    """Byte by byte: check of the base, way to the switch, its minute, check of the result."""
    change = encode_change(demo_config(), with_switch("07:40"))
    way = bytes(
        [
            (7 + 1) << 1,  # field 7 of the document, tariff, and no other
            (0 + 1) << 1,  # import
            (2 + 1) << 1,  # switches
            1 << 3 | 4,  # one switch stays; the next one changes; that is all
            (0 + 1) << 1,  # at
        ]
    )
    minute = (7 * 60 + 40) << 1 | 1
    assert way + bytes([minute & 0x7F | 0x80, minute >> 7]) == change[2:-2]


def test_nothing_changed_is_five_bytes() -> None:
    """A change between equal documents has its checks and a zero."""
    assert b"\0" == encode_change(demo_config(), demo_config())[2:-2]


@settings(max_examples=EXAMPLES)
@given(meter_configs(), meter_configs())
def test_every_change_leads_where_it_should(old: MeterConfig, new: MeterConfig) -> None:
    """Any two documents: there and back again."""
    assert new == apply_change(old, encode_change(old, new))
    assert old == apply_change(new, encode_change(new, old))


@settings(max_examples=EXAMPLES)
@given(meter_configs(), st.randoms(use_true_random=False))
def test_small_edits_of_lists_lead_where_they_should(
    old: MeterConfig, chance: random.Random
) -> None:
    """Elements that leave, come, change places and change."""
    screens, readout = list(old.display.scroll), list(old.flag.readout)
    for rows in (screens, readout):
        chance.shuffle(rows)
        del rows[chance.randint(0, len(rows)) :]
    screens = [replace(each, seconds=chance.choice((each.seconds, 9))) for each in screens]
    new = replace(
        old,
        display=replace(old.display, scroll=(*screens, *old.display.scroll[:1])),
        flag=replace(old.flag, readout=tuple(readout)),
    )
    assert new == apply_change(old, encode_change(old, new))


@settings(max_examples=EXAMPLES)
@given(meter_configs())
def test_whole_documents_come_back(config: MeterConfig) -> None:
    """A document is the change from nothing."""
    assert config == decode_document(encode_document(config))


@settings(max_examples=EXAMPLES)
@given(meter_configs(), meter_configs())
def test_another_base_is_refused(old: MeterConfig, other: MeterConfig) -> None:
    """A change meets the document it was made for, or nothing happens."""
    change = encode_change(old, demo_config())
    if change[:2] == encode_change(other, demo_config())[:2]:
        assert demo_config() == apply_change(old, change)
        return
    with pytest.raises(ChangeBaseError):
        apply_change(other, change)


def test_a_change_that_is_cut_short_anywhere_is_refused() -> None:
    """At every length it says that its end is missing, and behind its end nothing may stand."""
    change = encode_document(demo_config())
    for length in range(len(change)):
        with pytest.raises(ChangeTruncatedError):
            decode_document(change[:length])
    with pytest.raises(ChangeCorruptError, match="goes on after its end"):
        decode_document(change + b"\0")


@settings(max_examples=EXAMPLES)
@given(meter_configs(), meter_configs(), st.data())
def test_every_change_that_is_cut_short_is_refused(
    old: MeterConfig, new: MeterConfig, data: st.DataObject
) -> None:
    """The same of any change, at some lengths."""
    change = encode_change(old, new)
    for length in data.draw(st.lists(st.integers(0, len(change) - 1), max_size=10)):
        with pytest.raises(ChangeTruncatedError):
            apply_change(old, change[:length])


@settings(max_examples=EXAMPLES)
@given(meter_configs(), meter_configs(), st.data())
def test_a_damaged_change_is_refused(
    old: MeterConfig, new: MeterConfig, data: st.DataObject
) -> None:
    """Flipped bits are refused, or lead to a document that both checks hold for."""
    change = bytearray(encode_change(old, new))
    for bit in data.draw(st.lists(st.integers(0, 8 * len(change) - 1), min_size=1, max_size=4)):
        change[bit // 8] ^= 1 << bit % 8
    try:
        result = apply_change(old, bytes(change))
    except ChangeError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert encode_change(old, result)[-2:] == bytes(change)[-2:]


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    """Whatever comes behind a right base check is a document or a typed refusal."""
    base = encode_document(MeterConfig())[:2]
    try:
        assert isinstance(decode_document(base + noise), MeterConfig)
    except ChangeError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


def test_a_long_change_is_refused_unread() -> None:
    """Its bytes are bounded."""
    with pytest.raises(ChangeCorruptError, match="at most"):
        apply_change(MeterConfig(), bytes(MAX_CHANGE_BYTES + 1))


def test_a_change_to_what_no_meter_can_be_is_refused() -> None:
    """A sender that breaks the rules of the schema learns which one."""
    base = encode_document(MeterConfig())[:2]
    gas_with_rates = bytes([(7 + 1) << 1, (2 + 1) << 1, (1 + 1) << 1, 5])
    with pytest.raises(ChangeInvalidError, match="gas has at most 4 rates, not 5"):
        decode_document(base + gas_with_rates + b"\0\0")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bytes([63 << 1]), "sets field 62 of MeterConfig"),
        (bytes([2 << 1 | 1, 5, 1 << 1, 1]), "order"),
        (bytes([9 << 1, 2]), "alters what is not there"),
        (bytes([9 << 1, 3]), "has 3 where at most 2"),
        (bytes([8 << 1, 2, 2, 9]), "makes choice 9 of 2"),
        (bytes([8 << 1, 2, 6, 1 << 3 | 4, 0, 0]), "beyond the end of a list"),
        (bytes([12 << 1, 1 << 1, 1 << 3 | 3]), "begun to edit"),
        (bytes([2 << 1, *b"\xff" * 10]), "too long"),
    ],
)
def test_bytes_that_no_sender_writes_are_refused(body: bytes, reason: str) -> None:
    """Each says what is wrong with it."""
    base = encode_document(MeterConfig())[:2]
    with pytest.raises(ChangeCorruptError, match=reason):
        decode_document(base + body + b"\0\0\0\0\0\0\0\0\0\0\0\0")


def test_a_wrong_result_is_refused() -> None:
    """A change that is well formed and leads elsewhere than its sender meant does nothing."""
    change = bytearray(encode_change(demo_config(), with_switch("07:40")))
    change[-3] ^= 1
    with pytest.raises(ChangeCorruptError, match="does not lead where"):
        apply_change(demo_config(), bytes(change))


def test_an_activation_is_coded_in_minutes() -> None:
    """A tariff to come travels with its instant, whatever zone it was written in."""
    activate = datetime(2026, 4, 1, tzinfo=UTC)
    new = replace(demo_config(), passive=PassiveTariff(activate=activate, tariff=TariffConfig()))
    change = encode_change(demo_config(), new)
    assert new == apply_change(demo_config(), change)
    assert 12 >= len(change)


def test_the_check_is_that_of_en_13757() -> None:
    """The base check of an empty document is the CRC of the one zero that it is coded as."""
    assert crc_en13757(b"\0").to_bytes(2, "big") == encode_document(MeterConfig())[:2]
