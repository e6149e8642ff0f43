from __future__ import annotations

import string
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import LabelCheckError, LabelError, LabelMalformedError
from shared.label import UnitLabel, check_character, read_label, verify_check_character

KEY = bytes.fromhex("0F0E0D0C0B0A09080706050403020100")
LABEL = UnitLabel("00000001", KEY, "123456")

labels = st.builds(
    UnitLabel,
    serial=st.from_regex(r"[0-9]{8}", fullmatch=True),
    key=st.binary(min_size=16, max_size=16),
    passkey=st.none() | st.from_regex(r"[0-9]{6}", fullmatch=True),
)
texts = st.text(alphabet=string.digits + string.ascii_uppercase, min_size=1, max_size=32)


@pytest.mark.parametrize(
    ("text", "check"),
    [("G123489654321", "Y"), ("00000001", "*")],
)
def test_check_character_vectors(text: str, check: str) -> None:
    """ISO/IEC 7064 MOD 37-2: a published donation number, and the demo unit's serial."""
    assert check == check_character(text)


def test_texts_of_the_demo_label() -> None:
    """The demo unit's label reads as documented, as a QR code and as lines."""
    assert "HHY1:00000001*:0F0E0D0C0B0A09080706050403020100I:123456K" == LABEL.qr_text
    assert (
        "SERIAL  00000001 *\nKEY     0F0E 0D0C 0B0A 0908 0706 0504 0302 0100 I\nPASSKEY 123456 K"
    ) == LABEL.printed_text


@given(label=labels)
def test_both_texts_lead_back(label: UnitLabel) -> None:
    """What is printed and what the QR code holds give the label, in any case and spacing."""
    for text in (label.qr_text, label.printed_text):
        assert label == UnitLabel.parse(text)
        assert label == UnitLabel.parse("\r\n " + text.lower().replace(" ", "  "))


@given(label=labels)
def test_qr_code_stays_in_alphanumeric_mode(label: UnitLabel) -> None:
    """The QR text keeps to the 45 characters of the compact mode (ISO/IEC 18004)."""
    allowed = set(string.digits + string.ascii_uppercase + " $%*+-./:")
    assert set(label.qr_text) <= allowed


@given(text=texts, data=st.data())
def test_check_catches_every_single_error(text: str, data: st.DataObject) -> None:
    """Replacing any one character by any other changes the check character."""
    at = data.draw(st.integers(0, len(text) - 1))
    for other in (string.digits + string.ascii_uppercase).replace(text[at], ""):
        assert check_character(text) != check_character(text[:at] + other + text[at + 1 :])


@given(text=texts)
def test_check_catches_every_adjacent_swap(text: str) -> None:
    """Swapping any two unequal neighbours, the check character among them, is caught."""
    whole = text + check_character(text)
    for at in range(len(whole) - 1):
        swapped = whole[:at] + whole[at + 1] + whole[at] + whole[at + 2 :]
        if swapped == whole or "*" in swapped[:-1]:
            continue
        assert check_character(swapped[:-1]) != swapped[-1]


def test_every_wrong_digit_of_the_demo_label_is_told() -> None:
    """Every single wrong digit of serial, key and passkey is a wrong check, not a bad shape."""
    text = LABEL.qr_text
    for at, character in enumerate(text):
        if at < 5 or character == ":":
            continue
        for other in "0123456789".replace(character, ""):
            with pytest.raises(LabelCheckError):
                UnitLabel.parse(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize("part", ["serial", "key", "passkey"])
def test_message_names_the_wrong_part(part: str) -> None:
    """Who typed it learns which of the three lines to read again."""
    lines = dict(zip(("serial", "key", "passkey"), LABEL.printed_text.split("\n"), strict=True))
    line = lines[part]
    wrong = line[:8] + ("1" if line[8] == "0" else "0") + line[9:]
    with pytest.raises(LabelCheckError, match=f"^the {part} "):
        UnitLabel.parse(LABEL.printed_text.replace(line, wrong))
    with pytest.raises(LabelCheckError, match=f"^the {part} "):
        verify_check_character(part, "00000002", "*")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org/",
        LABEL.qr_text[:-1],
        LABEL.qr_text + "0",
        LABEL.qr_text.replace("HHY1", "HHY2"),
        LABEL.qr_text.replace("00000001", "O0000001"),
        LABEL.qr_text.replace("123456", "12345"),
        LABEL.printed_text.replace("KEY", "KYE"),
        LABEL.qr_text + " " * 1000,
        LABEL.qr_text.replace("1", "１"),
    ],
)
def test_another_shape_is_malformed(text: str) -> None:
    """Another product's code, a cut text or a letter O is malformed, not a wrong check."""
    with pytest.raises(LabelMalformedError):
        UnitLabel.parse(text)


@given(text=st.text(max_size=80))
def test_nothing_else_is_raised(text: str) -> None:
    """Any text is a label or the package's own error."""
    with pytest.raises(LabelError):
        UnitLabel.parse(text)


@pytest.mark.parametrize(
    ("serial", "key", "passkey"),
    [
        ("1", KEY, "123456"),
        ("0000000A", KEY, "123456"),
        ("00000001", KEY[:15], "123456"),
        ("00000001", "0F0E0D0C0B0A0908", "123456"),
        ("00000001", KEY, "12345"),
        ("00000001", KEY, "12345x"),
    ],
)
def test_refuses_parts_of_another_shape(serial: str, key: bytes, passkey: str) -> None:
    """Serial, key and passkey have 8 digits, 16 bytes and 6 digits."""
    with pytest.raises(LabelError):
        UnitLabel(serial, key, passkey)


def test_secrets_never_show() -> None:
    """Neither repr, str nor a refusal's traceback holds the key or the passkey."""
    shown = [repr(LABEL), str(LABEL), f"{LABEL}", repr([LABEL])]
    for text in (LABEL.qr_text[:-1], LABEL.qr_text.replace("0F0E", "0F0D")):
        try:
            UnitLabel.parse(text)
        except LabelError as error:
            shown.append("".join(traceback.format_exception(error)))
    assert 6 == len(shown)
    for text in shown:
        assert "0f0e" not in text.lower().replace(" ", "")
        assert "\\x0f" not in text.lower()
        assert "123456" not in text


@pytest.mark.parametrize(
    "text", ["", " \n", "{}", '{"qr": 1}', "[" * 9000, "{" * 9000, "x" * 30_000]
)
def test_files_that_are_no_label(text: str) -> None:
    """A file without a label in it is refused as such, whatever it is."""
    with pytest.raises(LabelMalformedError):
        read_label(text)


def test_a_label_without_its_passkey() -> None:
    """No radio needs it: serial and key do, as lines or as the start of the code's text."""
    plain = UnitLabel("00000001", KEY)
    assert "HHY1:00000001*:0F0E0D0C0B0A09080706050403020100I" == plain.qr_text
    lines = LABEL.printed_text.splitlines()[:2]
    assert "\n".join(lines) == plain.printed_text
    for text in (plain.qr_text, plain.printed_text, "\n".join(reversed(lines))):
        assert plain == read_label(text)


@pytest.mark.parametrize(
    ("line", "other", "sentence"),
    [
        (0, "", "the SERIAL line is missing"),
        (1, "", "the KEY line is missing"),
        (0, "SERIAL 0000001", "the SERIAL line is not 8 digits and one more"),
        (1, "KEY 0F0E 0D0C", "the KEY line is not 32 hexadecimal digits and one more"),
        (2, "PASSKEY 123456", "the PASSKEY line is not 6 digits and one more"),
    ],
)
def test_the_line_that_is_amiss_is_named(line: int, other: str, sentence: str) -> None:
    """Who typed three lines learns which of them is missing or of another form."""
    lines = LABEL.printed_text.splitlines()
    lines[line] = other
    with pytest.raises(LabelMalformedError, match=f"^{sentence}"):
        read_label("\n".join(lines))


def test_a_label_among_other_lines() -> None:
    """What is printed around the three lines is left out, also in lower case."""
    text = f"My unit\n{LABEL.printed_text.lower()}\nQR  {LABEL.qr_text}\n"
    assert LABEL == read_label(text)
