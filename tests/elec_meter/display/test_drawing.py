"""One snapshot, drawn as segments, text and a picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from elec_meter.display.segments import ALL_LIT, COLON, POINT, SEGMENT_NAMES, cells
from elec_meter.display.snapshot import DisplaySnapshot, Icons, segment_test

SVG = "{http://www.w3.org/2000/svg}"


def lit(mask: int) -> str:
    """The names of the segments that are lit."""
    return "".join(name for bit, name in enumerate(SEGMENT_NAMES) if mask >> bit & 1)


def test_places_are_filled_from_the_right() -> None:
    """Points and colons belong to the place before them and take none of their own."""
    places = cells("12.3")
    assert [""] * 5 + ["bc", "abdegGp", "abcdG"] == [lit(each) for each in places]
    assert 8 == len(cells("  12:34:56"))
    assert [COLON, COLON] == [each & COLON for each in cells("12:34:56") if each & COLON]
    assert POINT == cells("00012.345")[4] & POINT


def test_every_sign_that_can_stand_there_is_a_picture_of_its_own() -> None:
    """Digits, letters and dashes differ, but for 0 and O; small letters are large ones."""
    signs = "0123456789ABCDEFGHIJKLMNPQRSTUVWXYZ-/ "
    masks = [cells(sign)[-1] for sign in signs]
    assert len(signs) == len(set(masks)) + 1  # 5 and S are one shape, as on every such display
    assert cells("5") == cells("S")
    assert cells("kwh") == cells("KWH")
    assert cells("é") == cells("?")


@pytest.mark.parametrize(
    "snapshot",
    [
        DisplaySnapshot(" 000123.4", "IMPORT", "kWh", Icons(1, "import", is_rate_shown=True)),
        DisplaySnapshot("--------", "A<B&C", "W", Icons(None, "export", contactor="open")),
        DisplaySnapshot("   PRESS", icons=Icons(contactor="armed", flag_busy=True)),
        segment_test(3),
    ],
    ids=lambda each: each.text.strip(),
)
def test_the_picture_is_the_snapshot(snapshot: DisplaySnapshot) -> None:
    """A sound SVG document with eight places, all its words, and its text for a screen reader."""
    root = ET.fromstring(snapshot.svg())
    assert f"{SVG}svg" == root.tag
    assert "img" == root.attrib["role"]
    label = root.attrib["aria-label"]
    assert snapshot.text.strip() in label
    assert snapshot.mnemonic in label
    places = {
        each.attrib["transform"] for each in root.iter(f"{SVG}path") if "transform" in each.attrib
    }
    assert 8 == len(places)
    texts = [each.text or "" for each in root.iter(f"{SVG}text")]
    assert {snapshot.mnemonic, snapshot.unit, " ".join(snapshot.signs())} <= set(texts)
    flashes = list(root.iter(f"{SVG}animate"))
    assert snapshot.icons.is_rate_shown == bool(flashes)


def test_the_lines_have_what_the_picture_has() -> None:
    """All icons of the segment test fit into lines of one width."""
    lines = segment_test(3).lines()
    assert 1 == len({len(line) for line in lines})
    for word in segment_test(3).signs():
        assert word in "\n".join(lines)
    assert (ALL_LIT,) * 8 == segment_test(3).segments


def test_a_contactor_that_is_not_closed_is_told() -> None:
    """In words, beside the rate that flashes."""
    lines = "\n".join(
        DisplaySnapshot("1", icons=Icons(2, contactor="open", is_rate_shown=True)).lines()
    )
    assert "OPEN" in lines
    assert "R2*" in lines
