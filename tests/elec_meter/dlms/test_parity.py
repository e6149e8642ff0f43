"""DLMS says what the directory says, and writes what can be configured."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.access import Level
from elec_meter.cli.views import object_rows
from elec_meter.config import (
    CalibrationConfig,
    MeterConfig,
    config_from_json,
    config_to_json,
    demo_config,
    part_from_json,
    part_names,
    part_to_json,
    part_to_octets,
    refuse_left_out,
)
from elec_meter.config.shape import plain
from elec_meter.control import OrderDesk, Orders
from elec_meter.dlms.changes import DirectoryChanges
from elec_meter.dlms.data import CosemData, decode_data, octets
from elec_meter.dlms.instants import UNKNOWN, decode_date_time, encode_date, encode_time
from elec_meter.dlms.services import AccessResult, Attribute, Member
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.view import NoChanges, View
from elec_meter.errors import ConfigError
from elec_meter.objects import (
    CosemObject,
    DemandRegister,
    Directory,
    Limiter,
    MBusClient,
    ProfileGeneric,
    PushSetup,
    Register,
    ScriptTable,
    Setting,
    SingleActionSchedule,
    Unit,
)
from elec_meter.objects.catalogue import complete_config, directory_of
from shared.units import scaled
from tests.elec_meter.config.others import FACTORYS, other_value
from tests.elec_meter.config.strategies import meter_configs
from tests.elec_meter.config.tariff_strategies import EXAMPLES
from tests.elec_meter.display.test_renderings import SCALARS
from tests.elec_meter.mains import BEGUN


def told(directory: Directory, each: CosemObject, number: int) -> object:
    """An attribute as a client decodes it."""
    view = View(directory, {}, Level.FACTORY, NoChanges())
    attribute = Attribute(Member(each.class_id, each.obis, number))
    encoded = view.read(attribute, directory.now())
    assert isinstance(encoded, bytes)
    return decode_data(encoded).value


def scaler_and_unit(directory: Directory, each: CosemObject) -> tuple[int, int]:
    """As the class has them, or of the object that a limiter says it watches."""
    of: CosemObject = each
    if isinstance(each, Limiter):
        watched = told(directory, each, 2)
        assert isinstance(watched, tuple)
        of = next(one for one in directory if one.obis.to_bytes() == watched[1].value)
    found = told(directory, of, 4 if isinstance(of, DemandRegister) else 3)
    assert isinstance(found, tuple)
    scaler, unit = (part.value for part in found)
    assert isinstance(scaler, int)
    assert isinstance(unit, int)
    return scaler, unit


def in_words(each: CosemObject, found: tuple[Any, ...]) -> object:
    """A list that people see in words: how many entries, the scripts by number, or a date."""
    if isinstance(each, PushSetup):
        assert [0, 0] == [found[0].value, found[2].value]
        return found[1].value.decode()
    if isinstance(each, ScriptTable):
        words = str(each.value).split(", ")
        numbers = [entry.value[0] for entry in found]
        assert {Tag.UINT16} == {number.tag for number in numbers}
        assert [number.value for number in numbers] == [int(word.split()[0]) for word in words]
        return each.value
    if isinstance(each, SingleActionSchedule):
        ((at, day),) = ([part.value for part in entry.value] for entry in found)
        base = str(each.value).split()[-1]  # the class has no place for it
        return f"*-*-{day[3]:02d} {at[0]:02d}:{at[1]:02d} {base}"
    return len(found)


@pytest.mark.parametrize(("directory", "each"), SCALARS)
def test_dlms_says_what_the_object_says(directory: Directory, each: CosemObject) -> None:
    """The value of every scalar object, scaled by its own scaler, is the same to the last digit."""
    value, found = each.value, told(directory, each, each.value_attribute)
    if value is None:
        assert found in (None, UNKNOWN)
    elif isinstance(each, (Register, DemandRegister, Limiter)):
        scaler, unit = scaler_and_unit(directory, each)
        assert isinstance(found, int)
        assert (value, each.unit) == (scaled(found, scaler), Unit(unit).symbol)
    elif isinstance(each, Setting):
        assert (each.octets(), value) == (found, each.value)
    elif isinstance(each, MBusClient):
        assert value == f"{found:08x}"
    elif isinstance(found, tuple):
        assert value == in_words(each, found)
    elif isinstance(value, datetime):
        assert isinstance(found, bytes)
        assert value.replace(microsecond=0) == decode_date_time(found).replace(microsecond=0)
    elif isinstance(value, (date, time)):
        assert (encode_date(value) if isinstance(value, date) else encode_time(value)) == found
    else:
        assert value == (found.decode() if isinstance(found, bytes) else found)


def test_nothing_of_the_directory_is_left_out() -> None:
    """What every rendering above is compared for: all objects that are no profile."""
    for directory in {id(each.values[0]): each.values[0] for each in SCALARS}.values():
        scalars = {each.obis for each in directory if not isinstance(each, ProfileGeneric)}
        assert scalars == {each.values[1].obis for each in SCALARS if each.values[0] is directory}
        assert {str(each) for each in scalars} <= {row["obis"] for row in object_rows(directory)}


class Bench:
    """A meter whose directory is written over DLMS."""

    def __init__(self, config: MeterConfig) -> None:
        self.meter = Meter(config, Storage.in_memory(), BEGUN)
        self.orders = Orders(
            self.meter, now=lambda: BEGUN, durable=self.meter.checkpoint, status=dict
        )

    def write(self, level: Level, each: CosemObject, value: CosemData) -> AccessResult:
        """Set attribute 2."""
        changes = DirectoryChanges(
            self.meter.objects, lambda level: OrderDesk(self.orders, level, "DLMS TCP")
        )
        return changes.write(level, Member(each.class_id, each.obis, 2), value)


@pytest.mark.parametrize("name", part_names())
def test_every_part_is_written_over_dlms_and_read_back(name: str) -> None:
    """In the compact coding, by the level that may; by a lower one it is refused."""
    bench = Bench(demo_config())
    number = 1 + part_names().index(name)
    other = part_from_json(demo_config(), name, json.dumps(other_value(name)))
    value = octets(part_to_octets(other, name))
    level = Level.FACTORY if name in FACTORYS else Level.SUPPLIER
    setting = bench.meter.objects[f"0-0:128.50.{number}"]
    assert AccessResult.READ_WRITE_DENIED is bench.write(Level.READER, setting, value)
    if level is Level.FACTORY:
        assert AccessResult.READ_WRITE_DENIED is bench.write(Level.SUPPLIER, setting, value)
    assert AccessResult.SUCCESS is bench.write(level, setting, value)
    assert other == bench.meter.config
    setting = bench.meter.objects[f"0-0:128.50.{number}"]
    assert part_to_octets(other, name) == told(bench.meter.objects, setting, 2)


class Taker:
    """Keeps the documents that would be put in force."""

    def __init__(self) -> None:
        self.taken: list[MeterConfig] = []

    def apply_config(self, config: MeterConfig) -> None:
        """One of them."""
        self.taken.append(config)


@settings(max_examples=EXAMPLES // 4)
@given(meter_configs())
def test_whatever_a_document_says_is_written_through_the_directory(config: MeterConfig) -> None:
    """Each part of any document, from its default on, by the object of that part, in both forms."""
    plain_defaults = plain(MeterConfig())
    for number, name in enumerate(part_names(), start=1):
        try:
            before = part_from_json(config, name, json.dumps(plain_defaults[name], default=str))
        except ConfigError:
            continue  # another part needs this one to be as it is
        setting, taker = directory_of(before)[f"0-0:128.50.{number}"], Taker()
        for value in (part_to_json(config, name), part_to_octets(config, name)):
            setting.write(2, value, taker)  # type: ignore[arg-type]  # nothing else is ordered
        assert [config, config] == taker.taken, name


def leaves(value: object, path: str = "") -> list[str]:
    """Paths of everything in a document that is no table and no list."""
    if isinstance(value, dict):
        parts = [(f"{path}.{name}" if path else name, each) for name, each in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{place}]", each) for place, each in enumerate(value)]
    else:
        return [path]
    return [leaf for place, each in parts for leaf in leaves(each, place)]


def test_everything_configured_is_in_an_object_that_can_be_written() -> None:
    """Walking the document of a meter with everything: no key is anywhere but in the directory."""
    calibration = CalibrationConfig(bits=24, voltage_pv_per_count=10**8, current_pa_per_count=10**7)
    config = replace(complete_config(), calibration=calibration)
    objects = directory_of(config)
    written = {}
    for number, name in enumerate(part_names(), start=1):
        setting = objects[f"0-0:128.50.{number}"]
        assert (2,) == setting.writable
        assert isinstance(setting.value, str)
        written[name] = json.loads(setting.value)
    document = json.loads(config_to_json(config))
    assert sorted(leaves(document)) == sorted(leaves(written))
    assert document == written


def utf8(value: object) -> CosemData:
    """JSON as a text."""
    return CosemData(Tag.UTF8_STRING, json.dumps(value))


@pytest.mark.parametrize(
    ("part", "first", "second", "lost"),
    [
        ("clock", {"drift_ppm": "1.5"}, {"sync_limit_s": 20}, "drift_ppm"),
        ("limiter", {"threshold": 900, "over": "trip"}, {"threshold": 800}, "over"),
        ("display", None, {"return_s": 60}, "scroll"),
    ],
)
def test_a_part_that_would_lose_what_it_leaves_out_is_refused(
    part: str, first: object, second: dict[str, object], lost: str
) -> None:
    """In JSON, by whichever port; said in full it is taken, its defaults too."""
    bench = Bench(demo_config())
    code = f"0-0:128.50.{1 + part_names().index(part)}"

    def write(value: object) -> AccessResult:
        return bench.write(Level.SUPPLIER, bench.meter.objects[code], utf8(value))

    if first is not None:
        assert AccessResult.SUCCESS is write(first)
    before = bench.meter.config
    assert AccessResult.OTHER_REASON is write(second)
    assert before == bench.meter.config
    with pytest.raises(ConfigError, match=rf"^{part}: the key '{lost}' is left out"):
        refuse_left_out(before, part, json.dumps(second))
    whole = json.loads(part_to_json(before, part)) | second
    assert AccessResult.SUCCESS is write(whole)
    default = json.loads(part_to_json(MeterConfig(), part))
    assert AccessResult.SUCCESS is write(whole | {lost: default[lost]})


def test_a_key_twice_is_no_document() -> None:
    """Nobody can know which of the two was meant: at any depth, in a part and in the whole."""
    twice = '{"threshold": 1, "emergency": null, "threshold": 2}'
    with pytest.raises(ConfigError, match="the key 'threshold' occurs twice"):
        part_from_json(demo_config(), "limiter", twice)
    with pytest.raises(ConfigError, match="the key 'threshold' occurs twice"):
        config_from_json(f'{{"limiter": {twice}}}')


def test_a_list_of_the_display_is_written_alone() -> None:
    """The others stay; a list that hides a billing register is refused, and so is no list."""
    bench = Bench(demo_config())
    power = {"object": "1-0:1.7.0", "mnemonic": "POWER", "format": "#######0", "unit": "W"}
    before = bench.meter.config.display
    for _ in range(2):
        service = bench.meter.objects["0-0:128.70.2"]
        assert AccessResult.SUCCESS is bench.write(Level.INSTALLER, service, utf8([power]))
    now = bench.meter.config.display
    assert "POWER" == now.service[0].mnemonic
    assert (before.scroll, before.button) == (now.scroll, now.button)
    octet_form = octets(part_to_octets(bench.meter.config, "display.service"))
    assert octet_form.value == told(bench.meter.objects, bench.meter.objects["0-0:128.70.2"], 2)
    button = bench.meter.objects["0-0:128.70.1"]
    for hiding in (
        [power],
        {},
        [{"object": "1-0:1.8.9"}],
        [power | {"mnemonic": "TOO LONG A ONE"}],
    ):
        assert AccessResult.SUCCESS is not bench.write(Level.INSTALLER, button, utf8(hiding))
    assert now == bench.meter.config.display
    assert AccessResult.READ_WRITE_DENIED is bench.write(Level.READER, service, utf8([]))
