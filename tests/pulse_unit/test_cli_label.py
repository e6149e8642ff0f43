from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from pulse_unit.cli.label import label_svg, qr_blocks
from shared.label import UnitLabel
from tests.pulse_unit.command_line import run

KEY = "0F0E0D0C0B0A09080706050403020100"
LABEL = UnitLabel("00000001", bytes.fromhex(KEY), "123456")
GIVEN = ("label", "--serial", "00000001", "--key", KEY, "--passkey", "123456")
SVG = "{http://www.w3.org/2000/svg}"
PIXELS_PER_MM = 20


def seen(image: np.ndarray) -> list[str]:
    """What a reader of bar codes makes of a grey picture, dark on light."""
    return [code.text for code in zxingcpp.read_barcodes(image, try_invert=False)]


def photographed(blocks: str) -> np.ndarray:
    """The half blocks of a terminal, light on dark, as a grey picture."""
    rows = []
    for line in blocks.splitlines():
        rows.append([255 * (block in "▀█") for block in line])
        rows.append([255 * (block in "▄█") for block in line])
    return np.kron(np.array(rows, dtype=np.uint8), np.ones((8, 8), dtype=np.uint8))


def printed(svg: str) -> np.ndarray:
    """The rectangles of a label's QR code, drawn to scale on its paper as a grey picture."""
    root = ET.fromstring(svg)
    assert ("62mm", "29mm", "0 0 62 29") == (
        root.get("width"),
        root.get("height"),
        root.get("viewBox"),
    )
    image = np.full((29 * PIXELS_PER_MM, 62 * PIXELS_PER_MM), 255, dtype=np.uint8)
    code = root.find(f"{SVG}path")
    assert code is not None
    left, top, scale = map(float, re.findall(r"[\d.]+", code.get("transform", "")))
    for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", code.get("d", "")):
        x, y = left + int(column) * scale, top + int(row) * scale
        ends = [round(mm * PIXELS_PER_MM) for mm in (y, y + scale, x, x + scale)]
        image[ends[0] : ends[1], ends[2] : ends[3]] = 0
    return image


def test_label_of_given_parts() -> None:
    """A label prints what it was given, and as JSON what it printed before and its file."""
    text = f"{LABEL.printed_text}\nQR      {LABEL.qr_text}\n"
    assert text == run(*GIVEN, "--no-qr").output
    assert text == run(*GIVEN).output  # which is no terminal, but may be a file
    assert f"{text}\n{_plain(qr_blocks(LABEL))}\n" == run(*GIVEN, "--qr").output
    assert {
        "serial": "00000001",
        "key": KEY,
        "passkey": "123456",
        "printed": LABEL.printed_text.splitlines(),
        "qr": LABEL.qr_text,
        "qr_error_level": "M",
        "qr_modules": 29,
        "width_mm": 62,
        "height_mm": 29,
        "file": None,
    } == json.loads(run(*GIVEN, "--json").output)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_labels_are_drawn_anew() -> None:
    """What is not given is random, and the label reads back."""
    labels = [UnitLabel.parse(json.loads(run("label", "--json").output)["qr"]) for _ in range(3)]
    assert 3 == len({label.key for label in labels})
    assert 3 == len({label.serial for label in labels})


@pytest.mark.parametrize(
    "label", [LABEL, UnitLabel("99999999", bytes(range(240, 256)), "000000")], ids=repr
)
def test_qr_codes_are_read_by_a_camera(label: UnitLabel) -> None:
    """The one in the terminal and the one on paper hold the label's text, and read back as it."""
    assert [label.qr_text] == seen(photographed(_plain(qr_blocks(label))))
    assert [label.qr_text] == seen(printed(label_svg(label)))
    assert label == UnitLabel.parse(seen(printed(label_svg(label)))[0])


def test_soiled_label_is_still_read() -> None:
    """A stain of two by two millimetres in the middle of the code does no harm."""
    image = printed(label_svg(LABEL))
    image[14 * PIXELS_PER_MM : 16 * PIXELS_PER_MM, 15 * PIXELS_PER_MM : 17 * PIXELS_PER_MM] = 0
    assert [LABEL.qr_text] == seen(image)


def test_terminal_forces_dark_ground() -> None:
    """Every line of the code sets its own colours and gives them back."""
    for line in qr_blocks(LABEL).splitlines():
        assert line.startswith("\x1b[97;40m")
        assert line.endswith("\x1b[0m")


def test_printed_label_is_read_by_people_too() -> None:
    """The words beside the code are the label, within its edges."""
    texts = ET.fromstring(label_svg(LABEL)).findall(f"{SVG}text")
    lines = [text.text or "" for text in texts]
    assert "PULSE UNIT" == lines[0]
    assert LABEL == UnitLabel.parse(" ".join(lines[1:]))
    for text in texts:
        wide_mm = float(text.get("x", "0")) + len(text.text or "") * 0.602 * 2.3
        assert wide_mm <= 62 - 2
        assert float(text.get("y", "0")) <= 29 - 2


def test_file_is_its_owners_alone(tmp_path: Path) -> None:
    """A label is written with mode 0600, whatever the umask allows."""
    path = tmp_path / "label.svg"
    before = os.umask(0)
    try:
        result = run(*GIVEN, "-o", str(path), "--json")
    finally:
        os.umask(before)
    assert str(path) == json.loads(result.output)["file"]
    assert label_svg(LABEL) == path.read_text()
    assert 0o600 == path.stat().st_mode & 0o777


def test_nothing_is_overwritten_silently(tmp_path: Path) -> None:
    """A file that is there stays, unless it is to be replaced: then by one that is one's own."""
    path = tmp_path / "label.svg"
    path.write_text("another unit's")
    path.chmod(0o644)
    result = run(*GIVEN, "-o", str(path))
    assert (1, "", f"Error: {path} exists already: --force replaces it.\n") == (
        result.exit_code,
        result.stdout,
        result.stderr,
    )
    assert "another unit's" == path.read_text()
    assert 0 == run(*GIVEN, "-o", str(path), "--force").exit_code
    assert label_svg(LABEL) == path.read_text()
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["label.svg"] == [each.name for each in tmp_path.iterdir()]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """One sentence, and no secret is printed for a label that is not on paper."""
    missing = tmp_path / "none" / "label.svg"
    result = run(*GIVEN, "-o", str(missing))
    sentence = f"Error: {missing} cannot be written: No such file or directory.\n"
    assert (1, "", sentence) == (result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--serial", "1"),
        ("--serial", "1234567\u0663"),
        ("--key", "0F0E"),
        ("--passkey", "12345x"),
        ("-o", "label.png"),
    ],
)
def test_misuse_ends_with_2(arguments: tuple[str, ...]) -> None:
    """A command that cannot be understood ends with exit code 2."""
    assert 2 == run("label", *arguments).exit_code


def test_key_is_not_quoted_back() -> None:
    """A mistyped key does not appear in the complaint about it."""
    assert KEY[:31] not in run("label", "--key", KEY[:31]).stderr
