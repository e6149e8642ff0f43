from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elec_meter.config import (
    CalendarConfig,
    ClockConfig,
    MeterConfig,
    PricesConfig,
    TariffConfig,
    config_from_json,
    config_from_toml,
    config_to_json,
    config_to_toml,
    demo_config,
)
from elec_meter.config.codec import MAX_TEXT
from elec_meter.config.shape import plain
from elec_meter.errors import ConfigError
from tests.elec_meter.config.strategies import meter_configs
from tests.elec_meter.config.tariff_strategies import EXAMPLES

TWO_DAYS = (
    'days = [{name = "a", switches = [{at = "00:00", rate = 1}]},'
    ' {name = "b", switches = [{at = "00:00", rate = 1}]}]\n'
)
ONE_DAY = 'days = [{name = "a", switches = [{at = "00:00", rate = 1}]}]\n'
IMPORT = "[tariff.import]\n"
EMPTY_DAY = '{name = "a", switches = []}'
ANY_DAY = '{date = "*-*-*", day = "a"}'
PASSIVE = "[passive]\ntariff = {}\nactivate = "
CHANNEL = '[[data_channels]]\nobject = "1-0:32.7.0"\n'
LONG_DAY = ", ".join(f'{{at = "{n // 60:02d}:{n % 60:02d}", rate = 1}}' for n in range(49))

REFUSALS = [
    # windows and periods
    (
        '[demand]\nwindows = [{start = "16:00", end = "20:00"}, {start = "19:59", end = "21:00"}]',
        "m: demand: the demand window from 19:59 to 21:00 overlaps another",
    ),
    (
        '[demand]\nwindows = [{start = "22:00", end = "02:00"}, {start = "01:00", end = "03:00"}]',
        "m: demand: the demand window from 01:00 to 03:00 overlaps another",
    ),
    (
        '[demand]\nwindows = [{start = "16:00", end = "16:00"}]',
        "m: demand.windows[0]: the demand window from 16:00 to 16:00 has no length",
    ),
    ("[demand]\nsub_periods = 7", "m: a period of 30 minutes has no 7 parts of whole minutes"),
    ("[profile]\nperiod_min = 7", "m: profile.period_min: 7 is none of 5, 10, 15, 20, 30, 60"),
    # contradictions
    (
        f'{IMPORT}switches = [{{at = "01:00", rate = 1}}]\n{ONE_DAY}',
        "m: tariff.import: there are switches for every day and day profiles too",
    ),
    (
        f'{IMPORT}special_days = [{{date = "2026-12-25", day = "a"}}]',
        "m: tariff.import: there are weeks, seasons or special days, and no day profile",
    ),
    (
        IMPORT + TWO_DAYS,
        "m: tariff.import: there are several day profiles, and no week that names them",
    ),
    (
        f'{IMPORT}{ONE_DAY}weeks = [{{name = "w", days = ["a", "a", "a", "a", "a", "a", "x"]}}]',
        "m: tariff.import: the week w names the day profile x, and there is none",
    ),
    (
        f'{IMPORT}{ONE_DAY}seasons = [{{start = "04-01", week = "w"}}]',
        "m: tariff.import: the season from 04-01 names the week profile w, and there is none",
    ),
    (
        f'{IMPORT}days = [{{name = "a", switches = [{{at = "06:00", rate = 1}}]}}]',
        "m: tariff.import.days[0]: the day profile a has no rate from 00:00 until 06:00",
    ),
    (
        f'{IMPORT}days = [{{name = "a", switches = []}}]',
        "m: tariff.import.days[0]: the day profile a has no rate from 00:00 all day",
    ),
    (
        f"{IMPORT}prices = {{rate_p_kwh = [24.5], half_hourly = true}}",
        "m: tariff.import.prices: prices are those of rates, of blocks or of half-hours: one",
    ),
    (
        f"{IMPORT}rates = 2\nprices = {{rate_p_kwh = [24.5]}}",
        "m: tariff.import: there are 2 rates and 1 prices",
    ),
    # too much
    (f"{IMPORT}rates = 49", "m: tariff.import.rates: expected a whole number of at most 48"),
    (
        f"{IMPORT}switches = [{LONG_DAY}]",
        "m: tariff.import.switches: expected a list of at most 48 elements",
    ),
    (
        f"{IMPORT}days = [{', '.join([EMPTY_DAY] * 17)}]",
        "m: tariff.import.days: expected a list of at most 16 elements",
    ),
    (
        f"{IMPORT}special_days = [{', '.join([ANY_DAY] * 51)}]",
        "m: tariff.import.special_days: expected a list of at most 50 elements",
    ),
    (
        f'{IMPORT}{ONE_DAY}weeks = [{{name = "w", days = ["a"]}}]',
        "m: tariff.import.weeks[0].days: expected a list of at least 7 elements",
    ),
    (
        f"{IMPORT}blocks = {{thresholds = [[5000, 3000]]}}",
        "m: tariff.import.blocks: the thresholds [5000, 3000] do not rise from above zero",
    ),
    (
        f"{IMPORT}blocks = {{thresholds = [[{10**30}]]}}",
        "m: tariff.import.blocks: a threshold is at most 1000000000000",
    ),
    (
        f"{IMPORT}blocks = {{thresholds = [[1, 2, 3, 4]]}}",
        "m: tariff.import.blocks.thresholds[0]: expected a list of at most 3 elements",
    ),
    (
        f"modulus_wh = {10**12}",
        "m: modulus_wh: expected a whole number of at most 100000000000",
    ),
    (
        f"modulus_wh = {10**40}",
        "m: modulus_wh: expected a whole number of at most 100000000000",
    ),
    (f"modulus_wh = {'1' * 5000}", "m has a number that is too long"),
    ("[clock]\ndrift_ppm = 501", "m: clock: drift_ppm is at most 500, with up to six decimals"),
    ("[clock]\ndrift_ppm = nan", "m: clock: drift_ppm is at most 500, with up to six decimals"),
    (
        "[clock]\ndrift_ppm = 1e999999999",
        "m: clock: drift_ppm is at most 500, with up to six decimals",
    ),
    ("[clock]\ndrift_ppm = 0." + "0" * 50, "m has a number that is too long"),
    (
        f"{IMPORT}prices = {{rate_p_kwh = [1e999999]}}",
        "m: tariff.import.prices: 1E+999999 p is no price",
    ),
    (
        f"{IMPORT}prices = {{rate_p_kwh = [1e-999999]}}",
        "m: tariff.import.prices: the price 1E-999999 p has more than three decimals",
    ),
    ("a = " + "[" * 5000 + "]" * 5000, "m is nested too deeply"),
    ("#" * (MAX_TEXT + 1), "m is longer than 1000000 characters"),
    # names and numbers
    (
        "".join(f'{CHANNEL}name = "c{n}"\nnumber = {min(n, 2)}\n' for n in (1, 2, 3)),
        "m: the channel number 2 occurs twice",
    ),
    (
        "".join(f'{CHANNEL}name = "c"\nnumber = {n}\n' for n in (1, 2)),
        "m: the channel c occurs twice",
    ),
    (
        "".join(f'{CHANNEL}name = "c{n}"\nnumber = {n}\n' for n in range(1, 7))
        + '[[gas_units]]\nserial = "00000001"\n',
        "m: there are 7 gas units and data channels, and room for 6",
    ),
    (f'{CHANNEL}name = "c"\nnumber = 7', "m: data_channels[0].number: expected a whole number"),
    (f'{CHANNEL}name = "C"\nnumber = 1', "m: data_channels[0].name: this must be up to 16 small"),
    # kinds
    ("cereal = 1", "m: there is no key 'cereal'; is it 'serial'?"),
    ('"a\\nb" = 1', "m: there is no key 'a\\nb'"),
    (
        f'{IMPORT}time_base = "a\\nb"',
        "m: tariff.import.time_base: 'a\\nb' is none of 'utc', 'local'",
    ),
    ("[profile]\nreactive = 1", "m: profile.reactive: expected true or false, got a whole number"),
    ("profile = 1", "m: profile: expected a table, got a whole number"),
    ("checkpoint_s = 1.5", "m: checkpoint_s: expected a whole number, got a decimal number"),
    ('serial = "1"', "m: serial: this must be eight digits"),
    (
        '[[display.scroll]]\nobject = "1.8.0"\nmnemonic = "too long a name"',
        "m: display.scroll[0].mnemonic: expected a text of at most 8 characters",
    ),
    (
        '[[display.scroll]]\nobject = "1.8.0"\nunit = "m³"',
        "m: display.scroll[0].unit: this must be printable ASCII",
    ),
    (
        f'{IMPORT}prices = {{rate_p_kwh = ["x"]}}',
        "m: tariff.import.prices.rate_p_kwh[0]: this must",
    ),
    # the tariff to come
    (
        f"{PASSIVE}2026-04-01T00:00:00",
        "m: passive: the activation needs a time zone, such as 2026-04-01T00:00:00Z",
    ),
    (
        f"{PASSIVE}2026-04-01",
        "m: passive.activate: expected a date with a time and a zone, got a date without a time",
    ),
    (f"{PASSIVE}2026-04-01T00:00:01Z", "m: passive: a tariff is activated at a whole minute"),
    (f"{PASSIVE}1999-12-31T00:00:00Z", "m: passive: a tariff is activated from 2000 to 2099"),
    ("passive = {}", "m: passive: there must be a key 'activate'"),
    ("passive = 1", "m: passive: expected a table, got a whole number"),
]


@pytest.mark.parametrize(("document", "sentence"), REFUSALS, ids=[each for _, each in REFUSALS])
def test_a_bad_document_is_refused_with_path_and_reason(document: str, sentence: str) -> None:
    """One sentence, of one line, for whoever wrote it."""
    with pytest.raises(ConfigError) as refusal:
        config_from_toml(document, "m")
    assert str(refusal.value).startswith(sentence)
    assert str(refusal.value).isprintable()


JSON_REFUSALS = [
    (
        '{"passive": {"activate": "2026-04-01T00:00:00", "tariff": {}}}',
        "m: passive: the activation",
    ),
    ('{"passive": {"activate": "soon", "tariff": {}}}', "m: passive.activate: this must be a date"),
    ('{"clock": {"drift_ppm": 1e999999999}}', "m: clock: drift_ppm is at most 500"),
    ('{"clock": {"drift_ppm": "0.0000001"}}', "m: clock: drift_ppm is at most 500"),
    ('{"tariff": {"import_": {}}}', "m: tariff: there is no key 'import_'; is it 'import'?"),
    ('{"tariff": {"import": {"rates": 49}}}', "m: tariff.import.rates: expected a whole number"),
    ("null", "m: expected a table, got nothing"),
    ("{", "m is not JSON: "),
    ('{"serial": ' + "[" * 100_000, "m: serial: expected a text, got a list"),
    (" " * (MAX_TEXT + 1), "m is longer than 1000000 characters"),
]


@pytest.mark.parametrize(
    ("document", "sentence"), JSON_REFUSALS, ids=[each for _, each in JSON_REFUSALS]
)
def test_bad_json_is_refused_in_the_same_words(document: str, sentence: str) -> None:
    """What a program sent is refused as what a person wrote."""
    with pytest.raises(ConfigError) as refusal:
        config_from_json(document, "m")
    assert str(refusal.value).startswith(sentence)


@settings(max_examples=EXAMPLES)
@given(meter_configs(), st.data())
def test_a_value_of_another_kind_anywhere_is_refused_or_taken(
    config: MeterConfig, data: st.DataObject
) -> None:
    """Nothing that stands in place of a value does anything but make a document or a refusal."""
    document = json.loads(config_to_json(config))
    strange = st.sampled_from(
        ["", "x", "\u0000\n", "1-0", "-1", 0, -1, 10**18, 10**30, 1.5, 1e300, None, True, [], {}]
    )
    _replace_somewhere(document, data, strange)
    try:
        config_from_json(json.dumps(document))
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - either outcome is right


def _replace_somewhere(value: Any, data: st.DataObject, strange: st.SearchStrategy[Any]) -> None:
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    if isinstance(value[key], (dict, list)) and value[key] and data.draw(st.booleans()):
        _replace_somewhere(value[key], data, strange)
    else:
        value[key] = data.draw(strange)


@settings(max_examples=EXAMPLES)
@given(meter_configs())
def test_every_document_comes_back_from_text(config: MeterConfig) -> None:
    """From TOML, with and without its defaults, and from JSON."""
    assert config == config_from_toml(config_to_toml(config))
    assert config == config_from_toml(config_to_toml(config, defaults=True))
    assert config == config_from_json(config_to_json(config))


def test_toml_says_only_what_is_not_the_default() -> None:
    """The demo's meter is short, and a meter of which nothing is said is empty."""
    assert "" == config_to_toml(MeterConfig())
    text = config_to_toml(demo_config())
    assert "[tariff.import]\nrates = 2\nswitches = [\n    { at" in text
    assert "checkpoint_s" not in text
    assert "checkpoint_s = 10" in config_to_toml(demo_config(), defaults=True)


def test_decimals_are_exact_in_toml() -> None:
    """Prices and parts in a million keep every digit and stay what they are."""
    config = MeterConfig(
        clock=ClockConfig(drift_ppm=Decimal("-0.000001"), temperature_ppm=Decimal("0.035")),
        tariff=TariffConfig(
            import_=CalendarConfig(
                prices=PricesConfig(rate_p_kwh=(Decimal("24.505"),), standing_p_day=Decimal(60))
            )
        ),
    )
    text = config_to_toml(config)
    assert "24.505" in text
    assert config == config_from_toml(text)


def test_plain_data_has_every_key() -> None:
    """Names are those of TOML, tuples are lists, decimals stay exact."""
    value = plain(demo_config())
    assert [{"at": "00:30", "rate": 2}, {"at": "07:30", "rate": 1}] == value["tariff"]["import"][
        "switches"
    ]
    assert Decimal(0) == value["clock"]["drift_ppm"]


def test_a_sentence_is_one_short_line_whatever_it_quotes() -> None:
    """A file's name with a line end in it, and a key of thousands of letters."""
    for document in (f"{'x' * 5_000} = 1", "serial = "):
        with pytest.raises(ConfigError) as refusal:
            config_from_toml(document, "two\nlines")
        assert str(refusal.value).startswith("two\\nlines")
        assert 400 > len(str(refusal.value))
