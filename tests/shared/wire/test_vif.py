"""Units: quantity and scale of VIFs and what VIFEs add."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.vif import meaning
from tests.shared.wire.strategies import vifs

# VIF: quantity, unit, power of ten, factor
SCALES = [
    ("00", "energy", "kWh", -6, 1),
    ("07", "energy", "kWh", 1, 1),
    ("0e", "energy", "MJ", 0, 1),
    ("13", "volume", "m3", -3, 1),
    ("16", "volume", "m3", 0, 1),
    ("1b", "mass", "kg", 0, 1),
    ("20", "on_time", "s", 0, 1),
    ("23", "on_time", "s", 0, 86_400),
    ("26", "operating_time", "s", 0, 3600),
    ("2b", "power", "W", 0, 1),
    ("3b", "volume_flow", "m3/h", -3, 1),
    ("44", "volume_flow", "m3/h", -3, 60),
    ("4c", "volume_flow", "m3/h", -5, 3600),
    ("5a", "temperature_flow", "C", -1, 1),
    ("5f", "temperature_return", "C", 0, 1),
    ("61", "temperature_difference", "K", -2, 1),
    ("67", "temperature_external", "C", 0, 1),
    ("69", "pressure", "bar", -2, 1),
    ("6e", "heat_cost_allocator", "", 0, 1),
    ("71", "averaging", "s", 0, 60),
    ("74", "actuality", "s", 0, 1),
    ("78", "fabrication_number", "", 0, 1),
    ("fd17", "error_flags", "", 0, 1),
    ("fd24", "storage_interval", "s", 0, 1),
    ("fd28", "storage_interval", "month", 0, 1),
    ("fd32", "tariff_duration", "s", 0, 3600),
    ("fd3a", "count", "", 0, 1),
    ("fd3d", "transmission_period", "s", 0, 60),
    ("fd49", "voltage", "V", 0, 1),
    ("fd5b", "current", "A", -1, 1),
    ("fd60", "reset_counter", "", 0, 1),
    ("fd6c", "battery_operating_time", "s", 0, 3600),
    ("fd71", "signal_level", "dBm", 0, 1),
    ("fd74", "battery_left", "d", 0, 1),
    ("fb00", "energy", "kWh", 2, 1),
    ("fb09", "energy", "MJ", 3, 1),
    ("fb1b", "humidity", "%", 0, 1),
    ("fb2e", "frequency", "Hz", -1, 1),
    ("7f", "manufacturer_specific", "", 0, 1),
    ("9370", "volume", "m3", -9, 1),  # times a millionth
    ("9377", "volume", "m3", -2, 1),
    ("937d", "volume", "m3", 0, 1),
    ("fd7b", "vif_fd7b", "", 0, 1),
    ("fb7d", "power_maximum_cumulative", "W", 2, 1),
    ("fb07", "vif_fb07", "", 0, 1),
    ("fb20", "volume", "ft3", 0, 1),
    ("fb23", "volume", "gal", 0, 1),
    ("fb25", "volume_flow", "gal/min", 0, 1),
    ("fb5b", "temperature_flow", "F", 0, 1),
    ("fb75", "temperature_limit", "C", -2, 1),
    ("fdfd02", "vif_fdfd02", "", 0, 1),
    ("fdfd8270", "vif_fdfd02", "", -6, 1),
    ("6f", "vif_6f", "", 0, 1),
    ("7b", "vif_7b", "", 0, 1),
    ("ef01", "vif_ef01", "", 0, 1),
    ("", "manufacturer_specific", "", 0, 1),
]

QUALIFIERS = [
    ("933c", ["backward_only"]),
    ("93bb3e", ["forward_only", "at_base_conditions"]),
    ("fdc9ff01", ["manufacturer_01"]),
    ("937f", ["manufacturer"]),
    ("fdc9fc01", ["phase_1"]),
    ("fdc9fc40", ["vife_fc40"]),
    ("abc8fc10", ["upper_limit", "absolute_sum"]),
    ("83fc08", ["quadrant_1"]),
    ("83bbfc0c", ["forward_only", "import_less_export"]),
    ("ff68", ["manufacturer_68"]),
    ("ed7e", ["future"]),
    ("ab48", ["upper_limit"]),
    ("ab40", ["lower_limit"]),
    ("ab49", ["exceeds_of_upper_limit"]),
    ("be58", ["duration_of_first_exceed_of_upper_limit"]),
    ("be56", ["duration_of_last_exceed_of_lower_limit"]),
    ("be61", ["duration_of_first"]),
    ("be4f", ["end_of_last_exceed_of_upper_limit"]),
    ("be6a", ["begin_of_first"]),
    ("be39", ["start_of"]),
    ("be3d", ["not_metric"]),
    ("be6c", ["while_above_upper_limit"]),
    ("be12", ["average"]),
]


@pytest.mark.parametrize(("vif", "quantity", "unit", "exponent", "factor"), SCALES)
def test_scales(vif: str, quantity: str, unit: str, exponent: int, factor: int) -> None:
    """Each code has its quantity, in that quantity's one unit."""
    told = meaning(bytes.fromhex(vif))
    assert (quantity, unit) == (told.quantity, told.unit)
    assert (exponent, factor) == (told.exponent, told.factor)


@pytest.mark.parametrize(("vif", "qualifiers"), QUALIFIERS)
def test_qualifiers(vif: str, qualifiers: list[str]) -> None:
    """What a VIFE adds is named in order."""
    assert qualifiers == meaning(bytes.fromhex(vif)).qualifiers


def test_limits_change_the_unit() -> None:
    """How often and how long a limit was exceeded is no flow; when it was is a date."""
    assert ("s", 3600) == (meaning(b"\xbe\x5a").unit, meaning(b"\xbe\x5a").factor)
    assert "" == meaning(b"\xbe\x41").unit
    assert meaning(b"\xbe\x42").is_date
    assert meaning(b"\xbe\x6b").is_date
    assert "" == meaning(b"\x93\x3d").unit
    assert "" == meaning(b"\x93\xfc\x0d").unit
    assert meaning(b"\x93\xfc\x11").unsigned
    assert meaning(b"\x93\xfc\x13").is_date


def test_errors_and_profiles() -> None:
    """A record error takes the place of a value; a profile says which way it runs."""
    assert "no_data" == meaning(b"\x93\x15").error
    assert "error_11" == meaning(b"\x93\x11").error
    assert meaning(b"\x93\x00").error is None
    assert ["inverse", "forward", "forward"] == [
        meaning(bytes([0x93, vife])).profile for vife in (0x13, 0x1E, 0x1F)
    ]


def test_what_has_no_sign() -> None:
    """Counters, flags and durations are unsigned; amounts and dates are not, by themselves."""
    assert meaning(b"\x20").unsigned
    assert meaning(b"\xfd\x17").unsigned
    assert not meaning(b"\xfd\x3a").unsigned
    assert not meaning(b"\xfd\x71").unsigned
    assert not meaning(b"\x13").unsigned
    assert meaning(b"\x6c").is_date
    assert meaning(b"\xfd\x70").is_date


@given(vifs())
@settings(max_examples=200)
def test_any_code_has_a_meaning(vif: bytes) -> None:
    """No code is without a quantity and a whole positive scale."""
    told = meaning(vif)
    assert told.quantity
    assert told.factor > 0
    assert -100 < told.exponent < 100


@given(st.binary(max_size=3))
@settings(max_examples=40)
def test_cut_codes_have_a_meaning(vif: bytes) -> None:
    """An extension byte without its table's code is only unknown."""
    assert meaning(vif).quantity
