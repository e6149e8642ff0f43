"""Answers of real meters, read here and by pyMeterBus, which nobody here wrote."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collector.decode import decode_telegram
from shared.wire.mbus import RSP_UD, Frame, encode_frame
from shared.wire.telegram import encode_records
from tests.shared.wire.samples import unit_telegram

meterbus = pytest.importorskip("meterbus", reason="pyMeterBus, the other reader, is not installed")

FRAMES = {
    name: bytes.fromhex(digits)
    for name, digits in (
        line.split()
        for line in (Path(__file__).parent / "wired_frames.txt").read_text().splitlines()
        if not line.startswith("#")
    )
}
# Where the other reader is wrong: six-byte dates read as four-byte ones, decimal digits above 9
# read as digits, the flag of an invalid date overlooked, 16-byte numbers not read.
OTHERS_MISTAKES = {
    ("lgb_g350", 1),
    ("abb_f95", 2),
    ("abb_f95", 3),
    ("rel_padpuls", 1),
    ("binary16_lvar", 0),
}
TO_THEIR_UNIT = {"kWh": 1000}


def theirs(data: bytes) -> list[dict[str, Any]]:
    """The other reader's records."""
    return json.loads(meterbus.load(data).to_JSON())["body"]["records"]


@pytest.mark.parametrize("name", FRAMES)
def test_both_readers_agree(name: str) -> None:
    """Each record has the same value, place and, for dates, the same minute."""
    ours = decode_telegram(FRAMES[name])["records"]
    for index, (our, their) in enumerate(zip(ours, theirs(FRAMES[name]), strict=False)):
        value = our["value"]
        if (name, index) in OTHERS_MISTAKES or our["quantity"] == "manufacturer_data":
            continue
        assert our["storage"] == their["storage_number"]
        if isinstance(value, str):
            assert value.startswith(str(their["value"]))
        else:
            scale = TO_THEIR_UNIT.get(our["unit"], 1)
            assert float(value * scale) == pytest.approx(their["value"], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", FRAMES)
def test_both_readers_count_alike(name: str) -> None:
    """No record is lost or invented."""
    count = len(decode_telegram(FRAMES[name])["records"])
    assert name == "binary16_lvar" or len(theirs(FRAMES[name])) == count


def test_the_other_reader_understands_our_unit() -> None:
    """A unit's records on the wired bus: count, volume, uptime and the raw increments."""
    telegram = unit_telegram(increments=(4, 3, 2))
    head = bytes.fromhex("72010000001921010307200000")
    data = encode_frame(Frame(RSP_UD, 1, head + encode_records(telegram)))
    found = theirs(data)
    assert 10 == len(found)
    assert [12345, pytest.approx(1234.56), 180_000, 77] == [r["value"] for r in found[:4]]
    assert (12340, 8) == (found[7]["value"], found[7]["storage_number"])
    ours = decode_telegram(data)
    assert ("HHY", "00000001", "gas", "none") == (
        ours["manufacturer"],
        ours["id"],
        ours["medium"],
        ours["security"],
    )
    counts = [r["value"] for r in ours["records"] if r["quantity"] == "count"]
    assert [12345, 12340, 12336, 12333, 12331] == counts


def test_chosen_values() -> None:
    """What some of the meters' makers print beside these frames."""
    falcon = decode_telegram(FRAMES["els_falcon"])
    assert ("ELS", "70112345", "water") == (falcon["manufacturer"], falcon["id"], falcon["medium"])
    assert Decimal("1234.567") == falcon["records"][0]["value"]
    edc = decode_telegram(FRAMES["edc"])["records"]
    assert Decimal("21.5367031097412109375") == edc[4]["value"]
    assert ["forward_only"] == edc[0]["qualifiers"]
    assert "2016-07-22T08:00:00" == decode_telegram(FRAMES["lgb_g350"])["records"][1]["value"]
    assert decode_telegram(FRAMES["abb_f95"])["records"][2]["value"] is None
