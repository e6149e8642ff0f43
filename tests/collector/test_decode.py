"""Telegrams as dictionaries, and `collector decode`."""

import json
import subprocess
import sys
from decimal import Decimal

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.cli import main
from collector.decode import decode_advert, decode_telegram
from shared.crypto.backend_cryptography import AesBlock
from shared.exact_json import exact_json
from shared.wire.errors import BadMac, WireError
from shared.wire.mbus import RSP_UD, Frame, encode_frame
from shared.wire.seal import seal_telegram
from shared.wire.telegram import FLAG_LOW_BATTERY, encode_records, status_byte
from shared.wire.wmbus import frame_a, frame_b
from tests.shared.wire.samples import GAS_FRAMED, GAS_KEY, GAS_WIRED, unit_telegram
from tests.shared.wire.test_oms import INTEGRATED, KEY_B, MODE_7

KEY = bytes.fromhex("0f0e0d0c0b0a09080706050403020100")
UNIT = unit_telegram(error_flags=FLAG_LOW_BATTERY)
LINK = seal_telegram(
    AesBlock, KEY, "00000001", encode_records(UNIT), 9, 9, status_byte(FLAG_LOW_BATTERY)
)
UNIT_ADVERT = "45B647742939D404BF8E24B40001000046E904C2"  # docs/telegram.md
MODE_5, MODE_5_KEY, WIRED = GAS_FRAMED.hex(), GAS_KEY.hex(), GAS_WIRED.hex()
ADVERT = "41a47266c95f730011223378237214"
ADVERT_KEY = "231d39c1d7cc1ab1aee224cd096db932"
ADVERT_MAC = "54:48:E6:8F:80:A5"
GAS = [
    ("volume", Decimal("28504.27"), "m3"),
    ("datetime", "2008-05-31T23:50:00", None),
    ("error_flags", 0, None),
]


def run(*arguments: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(main, ["decode", *arguments])


def told(records: list[dict]) -> list[tuple]:
    """Quantity, value and unit of each record."""
    return [(record["quantity"], record["value"], record["unit"]) for record in records]


@pytest.mark.parametrize(
    ("digits", "key", "security"), [(MODE_5, MODE_5_KEY, "mode5"), (WIRED, None, "none")]
)
def test_published_gas_meter(digits: str, key: str | None, security: str) -> None:
    """The annex's gas meter says the same over radio and wire."""
    found = decode_telegram(bytes.fromhex(digits), key and bytes.fromhex(key))
    assert GAS == told(found.pop("records"))
    assert {
        "manufacturer": "ELS",
        "id": "12345678",
        "version": 51,
        "medium": "gas",
        "security": security,
        "status": 0,
    } == found


@pytest.mark.parametrize("framed", [MODE_7, frame_a(MODE_7), INTEGRATED, frame_b(INTEGRATED)])
def test_published_gas_meter_in_profile_b(framed: bytes) -> None:
    """Behind a radio adapter or with its own radio, the annex's gas meter says the same."""
    found = decode_telegram(framed, KEY_B)
    assert GAS == told(found["records"])
    assert ("ELS", "12345678", "gas", "mode7") == tuple(
        found[name] for name in ("manufacturer", "id", "medium", "security")
    )


@pytest.mark.parametrize("place", range(23, len(MODE_7)))
def test_bad_mac_never_yields_a_value(place: int) -> None:
    """Whichever byte that the MAC covers is changed, or of the MAC itself: there is an error."""
    changed = bytearray(MODE_7)
    changed[place] ^= 0x04
    with pytest.raises(WireError):
        decode_telegram(bytes(changed), KEY_B)


@pytest.mark.parametrize("framed", [frame_a(LINK), frame_b(LINK), LINK])
def test_our_unit(framed: bytes) -> None:
    """A sealed telegram in any frame; each past half-hour is one record of the count then."""
    found = decode_telegram(framed, KEY)
    records = found.pop("records")
    assert [
        ("count", 12345, None),
        ("volume", Decimal("1234.560"), "m3"),
        ("on_time", 180_000, "s"),
        ("actuality", 77, "s"),
        ("battery_left", 7300, "d"),
        ("error_flags", 4, None),
        ("reset_counter", 2, None),
        ("count", 12340, None),
        ("actuality", 900, "s"),
        ("count", 12336, None),
        ("count", 12336, None),
        ("count", 12086, None),
    ] == told(records)
    assert [0, 0, 0, 1, 0, 0, 0, 8, 8, 9, 10, 11] == [record["storage"] for record in records]
    assert {"30 min"} == {record["spacing"] for record in records[9:]}
    assert {
        "manufacturer": "HHY",
        "id": "00000001",
        "version": 1,
        "medium": "gas",
        "security": "mode7",
        "status": 4,
    } == found


def test_details_beside_the_promised_keys() -> None:
    """Sub-units, what VIFEs add, and errors in place of values have keys of their own."""
    records = bytes.fromhex("84401300000000 04933c01000000 04931501000000 053b0000c03f 0f0102")
    plain = bytes([15 + len(records)]) + LINK[1:10] + b"\x7a\x01\x00\x00\x00" + records
    plain = bytes([len(plain) - 1]) + plain[1:]
    first, second, third, fourth, own = decode_telegram(plain)["records"]
    assert 1 == first["subunit"]
    assert ["backward_only"] == second["qualifiers"]
    assert (None, "no_data") == (third["value"], third["error"])
    assert Decimal("0.0015") == fourth["value"]
    assert ("manufacturer_data", "0102") == (own["quantity"], own["value"])


def test_message_without_an_address() -> None:
    """A wired answer without header names nobody."""
    found = decode_telegram(encode_frame(Frame(RSP_UD, 1, bytes.fromhex("78041301000000"))))
    assert [None] * 4 == [found[name] for name in ("manufacturer", "id", "version", "medium")]
    assert [("volume", Decimal("0.001"), "m3")] == told(found["records"])


def test_acknowledgement_says_nothing() -> None:
    """Frames without user data are no telegrams."""
    for digits in ("e5", "1040014116"):
        with pytest.raises(WireError):
            decode_telegram(bytes.fromhex(digits))


@pytest.mark.parametrize("uuid", ["", "d2fc"])
def test_advert(uuid: str) -> None:
    """BTHome service data, with or without its UUID."""
    mac = bytes.fromhex(ADVERT_MAC.replace(":", ""))
    found = decode_advert(bytes.fromhex(uuid + ADVERT), mac, bytes.fromhex(ADVERT_KEY))
    assert (ADVERT_MAC, "ccm") == (found["id"], found["security"])
    assert [
        ("temperature", Decimal("25.06"), "C"),
        ("humidity", Decimal("50.55"), "%"),
    ] == told(found["records"])


@pytest.mark.parametrize(
    "key", ["0F0E0D0C0B0A09080706050403020100", "D768ACE3082C0C31E0827FF966EC0E62"]
)
def test_advert_of_a_unit_opens_with_either_key(key: str) -> None:
    """The unit's key, from the label, does as well as the advert's own; no other one does."""
    mac, data = bytes.fromhex("C0FFEE123456"), bytes.fromhex(UNIT_ADVERT)
    found = decode_advert(data, mac, bytes.fromhex(key))
    assert ("count", 12_345, None) == told(found["records"])[1]
    result = run("--ble", "--mac", mac.hex(":"), "--key", key, UNIT_ADVERT)
    assert 0 == result.exit_code
    assert "12345" in result.output
    for wrong in (bytes(16), bytes([1]) + bytes.fromhex(key)[1:]):
        with pytest.raises(BadMac):
            decode_advert(data, mac, wrong)


@given(st.binary(max_size=60), st.none() | st.just(KEY))
@settings(max_examples=150)
def test_any_bytes_give_a_dictionary_or_a_typed_error(data: bytes, key: bytes | None) -> None:
    """Nothing but `WireError` leaves the decoder, and what comes out can be written."""
    frames = [data, bytes([len(data)]) + data]
    frames.append(bytes([15 + len(data)]) + LINK[1:10] + b"\x7a\x01\x00\x00\x00\x00" + data)
    for frame in frames:
        try:
            found = decode_telegram(frame, key)
        except WireError:
            continue
        assert json.loads(exact_json(found))["security"] in ("none", "mode5")


def test_command_prints_json() -> None:
    """`--json` is the dictionary."""
    result = run("--json", "--key", MODE_5_KEY, MODE_5)
    found = json.loads(result.output, parse_float=Decimal)
    assert (0, "mode5", GAS) == (result.exit_code, found["security"], told(found["records"]))


def test_command_prints_a_table() -> None:
    """Without `--json`, people read it; digits may stand in groups."""
    result = run("68 20 20 68 08 FD", WIRED[12:].upper())
    assert 0 == result.exit_code
    for word in ("ELS", "12345678", "gas", "none", "28504.27", "m3", "2008-05-31T23:50:00"):
        assert word in result.output


def test_command_reads_adverts() -> None:
    """`--ble --mac` reads BTHome service data."""
    result = run("--json", "--ble", "--mac", ADVERT_MAC, "--key", ADVERT_KEY, ADVERT)
    assert (0, 25.06) == (result.exit_code, json.loads(result.output)["records"][0]["value"])


@pytest.mark.parametrize(
    "arguments",
    [
        (MODE_5,),
        ("--key", "00" * 16, MODE_5),
        ("--key", "00" * 16, LINK.hex()),
        ("--key", KEY.hex(), LINK[:-1].hex() + "00"),
        (WIRED[:-4] + "0016",),
        (WIRED[:-6],),
        ("00",),
        ("--ble", "--mac", ADVERT_MAC, ADVERT),
        ("--ble", "--mac", "00:00:00:00:00:00", "--key", ADVERT_KEY, ADVERT),
    ],
)
def test_command_refuses_in_one_sentence(arguments: tuple[str, ...]) -> None:
    """What is not authentic or not understood: exit 1, nothing said of its content."""
    result = run("--json", *arguments)
    assert (1, "") == (result.exit_code, result.stdout)
    assert 1 == result.stderr.count("\n")
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("xyz",),
        ("123",),
        ("--key", "00", WIRED),
        ("--key", "zz", WIRED),
        ("--ble", ADVERT),
        ("--mac", ADVERT_MAC, WIRED),
        ("--mac", "00:11", "--ble", ADVERT),
        ("--colour", WIRED),
    ],
)
def test_misuse_is_exit_2(arguments: tuple[str, ...]) -> None:
    """Arguments that are no telegram at all are the caller's mistake."""
    assert 2 == run(*arguments).exit_code


def test_help_has_examples_that_work() -> None:
    """Every example in `--help` does what it says."""
    text = run("--help").output.replace("\\\n", " ")
    examples = [line.split() for line in text.splitlines() if line.strip().startswith("collector ")]
    assert len(examples) >= 3
    for words in examples:
        assert 0 == CliRunner().invoke(main, words[1:]).exit_code


def test_decoding_is_light() -> None:
    """Reading a plain telegram imports neither numpy, numba nor cryptography."""
    script = (
        "import sys; from collector.cli import main; main(['decode', '--json', sys.argv[1]],"
        " standalone_mode=False); heavy = {'numpy', 'numba', 'cryptography'};"
        " print(sorted(heavy & {*sys.modules}))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, WIRED], capture_output=True, text=True, check=True
    ).stdout
    assert output.endswith("[]\n")
