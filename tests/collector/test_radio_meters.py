"""Radio telegrams of other makers' meters, and what wmbusmeters' public tests say of them.

Those whose security mode is 5 and that need no key were deciphered by the gateway that logged them.
"""

from decimal import Decimal
from typing import Any

import pytest

from collector.decode import decode_telegram

# Name, security, key, telegram, {(quantity, storage, tariff): value}
TELEGRAMS: list[tuple[str, str, str, str, dict[tuple[str, int, int], Any]]] = [
    (
        "SON 12345678 warm water",
        "none",
        "",
        (
            "A244EE4D785634123C067A8F000000"
            "0C1348550000426CE1F14C130000000082046C21298C0413330000008D04931E3A3CFE3300000033000000"
            "330000003300000033000000330000003300000033000000330000003300000033000000330000004300000"
            "034180000046D0D0B5C2B03FD6C5E150082206C5C290BFD0F0200018C4079678885238310FD310000008210"
            "6C01018110FD610002FD66020002FD170000"
        ),
        {
            ("volume", 0, 0): Decimal("5.548"),
            ("date", 1, 0): "****-01-01",
            ("volume", 8, 0): Decimal("0.033"),
            ("volume", 21, 0): Decimal("0.043"),
            ("volume", 22, 0): Decimal("1.834"),
            ("software_version", 0, 0): 10_002,
        },
    ),
    (
        "SEN 12345699 water",
        "none",
        "",
        "1E44AE4C9956341268077A360010052F2F0413181E0000023B00002F2F2F2F",
        {("volume", 0, 0): Decimal("7.704"), ("volume_flow", 0, 0): 0},
    ),
    (
        "SEN 33225544 water",
        "none",
        "",
        "1844AE4C4455223368077A55000000041389E20100023B0000",
        {("volume", 0, 0): Decimal("123.529")},
    ),
    (
        "LAS 00010203 room sensor",
        "none",
        "",
        "2E44333003020100071B7A634820252F2F0265840842658308820165950802FB1AAE0142FB1AAE018201FB1AA9012F",
        {
            ("temperature_external", 0, 0): Decimal("21.80"),
            ("temperature_external", 1, 0): Decimal("21.79"),
            ("temperature_external", 2, 0): Decimal("21.97"),
            ("humidity", 0, 0): Decimal("43.0"),
            ("humidity", 2, 0): Decimal("42.5"),
        },
    ),
    (
        "DME 65656565 warm water",
        "none",
        "",
        (
            "3E44A5116565656570067AFB0030052F2F0C13503400000DFD110A383731303134423032410B3B00000002FD74DC"
            "15C4016D3B178D29CC0113313400002F2F"
        ),
        {
            ("volume", 0, 0): Decimal("3.450"),
            ("customer", 0, 0): "A20B410178",
            ("battery_left", 0, 0): 5596,
            ("datetime", 3, 0): "2020-09-13T23:59:00",
            ("volume", 3, 0): Decimal("3.431"),
        },
    ),
    (
        "DME 64745666 water",
        "mode5",
        "51728910E66D83F851728910E66D83F8",
        (
            "6644242328001081640E7266567464A51170071F0050052C411A08674048DD6BA82A0DF79FFD401309179A893A1B"
            "E3CE8EDC50C2A45CD7AFEC3B4CE765820BE8056C124A17416C3722985FFFF7FCEB7094901AB3A16294B511B9A740"
            "C9F9911352B42A72FB3B0C"
        ),
        {
            ("actuality", 0, 0): 6673,
            ("volume", 0, 0): Decimal("137.291"),
            ("volume", 0, 2): Decimal("137.291"),
            ("operating_time", 0, 0): 14_678 * 3600,
            ("temperature_flow", 0, 0): Decimal("24.5"),
            ("temperature_external", 0, 0): Decimal("23.9"),
            ("datetime", 0, 0): "2021-01-23T08:27:00",
            ("volume", 1, 0): Decimal("128.638"),
        },
    ),
    (
        "AXI 72727272 water",
        "none",
        "",
        "2E4409077272727210077AD71020052F2F046D040D742C041377000000446D0000612C4413000000002F2F2F2F2F2F",
        {
            ("datetime", 0, 0): "2019-12-20T13:04:00",
            ("volume", 0, 0): Decimal("0.119"),
            ("datetime", 1, 0): "2019-12-01T00:00:00",
        },
    ),
    (
        "SON 27293981 heat cost allocator",  # format A, its CRCs left in
        "none",
        "",
        (
            "3444EE4D813929271608811D7A51000000046D1912A62B036E0000005170426CE1F1436E00000002FF2C00000259"
            "D6D0D4090265FC0902FD66A00044C4"
        ),
        {("temperature_flow", 0, 0): Decimal("25.16")},
    ),
    (
        "KAM 76348799 cold water",
        "link",
        "28F64A24988064A079AA2C807D6102AE",
        "2A442D2C998734761B168D2091D37CAC21E1D68CDAFFCD3DC452BD802913FF7B1706CA9E355D6C2701CC24",
        {("volume", 0, 0): Decimal("6.408"), ("volume", 1, 0): Decimal("6.408")},
    ),
    (
        "APA 10101010 electricity",
        "none",
        "",
        (
            "4E4401061010101002027A000040052F2F0E035040691500000B2B300300066D00790C7423400C78371204860BAB"
            "C8FC100000000E833C8074000000000BAB3C0000000AFDC9FC0136022F2F2F2F2F"
        ),
        {
            ("energy", 0, 0): Decimal("15694.050"),
            ("datetime", 0, 0): "2019-03-20T12:57:00",
            ("voltage", 0, 0): 236,
        },
    ),
]


@pytest.mark.parametrize(
    ("name", "security", "key", "digits", "values"),
    TELEGRAMS,
    ids=[telegram[0] for telegram in TELEGRAMS],
)
def test_telegram_of_another_maker(
    name: str, security: str, key: str, digits: str, values: dict[tuple[str, int, int], Any]
) -> None:
    """Meter, security and values are those that the other program reports."""
    found = decode_telegram(bytes.fromhex(digits), bytes.fromhex(key) if key else None)
    assert name == "{manufacturer} {id} {medium}".format(**found)
    assert security == found["security"]
    first: dict[tuple[str, int, int], Any] = {}
    for record in found["records"]:
        place = (record["quantity"], record["storage"], record["tariff"])
        first.setdefault(place, record["value"])
    assert values == {place: first[place] for place in values}


def test_pulse_adaptor_has_two_inputs() -> None:
    """A two-channel pulse adaptor counts in two sub-units of one device."""
    found = decode_telegram(
        bytes.fromhex("234433300602010014007A8E0000002F2F0EFD3A1147000000008E40FD3A341200000000")
    )
    counts = [(record["value"], record.get("subunit", 0)) for record in found["records"]]
    assert [(4711, 0), (1234, 1)] == counts
