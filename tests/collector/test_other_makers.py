"""Telegrams of other makers' meters, and what wmbusmeters' public tests say of them.

Those whose security mode is 5 and that need no key were deciphered by the gateway that logged them;
in two compact frames the link layer was, and does not say so any more. The last three came over a
wire.
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
    (
        "ELS 05105025 gas",
        "none",
        "",
        (
            "3644A511640010253837722550100593158103E70020052F2F0374E602000C137034220302FD74EE0F2F2F2F2F2F"
            "2F2F2F2F2F2F2F2F2F"
        ),
        {
            ("actuality", 0, 0): 742,
            ("volume", 0, 0): Decimal("3223.470"),
            ("battery_left", 0, 0): 4078,
        },
    ),
    (
        "AAA 61070071 water",
        "mode5",
        "A004EB23329A477F1DD2D7820B56EB3D",
        (
            "76442104710007612507727100076121042507B5006005E2E95A3C2A1279A5415E6732679B43369FD5FDDDD783EE"
            "EBB48236D34E7C94AF0A18A5FDA5F7D64111EB42D4D891622139F2952F9D12A20088DFA4CF8123871123EE1F6C1D"
            "CEA414879DDB4E05E508F1826D7EFBA6964DF804C9261EA23BBF03"
        ),
        {
            ("volume", 0, 0): Decimal("466.472"),
            ("volume", 1, 0): Decimal("465.96"),
            ("volume", 14, 0): Decimal("357.84"),
            ("error_flags", 0, 0): 0,
        },
    ),
    (
        "DWZ 20096221 warm water",
        "mode5",
        "BEDB81B52C29B5C143388CBB0D15A051",
        (
            "3944FA122162092002067A3600202567C94D48D00DC47B11213E23383DB51968A705AAFA60C60E263D50CD259D7C"
            "9A03FD0C08000002FD0B0011"
        ),
        {
            ("datetime", 0, 0): "2020-07-30T10:40:00",
            ("volume", 0, 0): Decimal("0.106"),
            ("model_version", 0, 0): 8,
        },
    ),
    (
        "DEV 00254358 electricity",
        "none",
        "",
        (
            "5E44B6105843250000027A2A0050052F2F0C7835221400066D404708AC2A400E032022650900000E833C00000000"
            "00001B2B9647000B2B5510000BAB3C0000000AFDC9FC0135020AFDC9FC0245020AFDC9FC0339020BABC8FC100000"
            "002F2F"
        ),
        {
            ("datetime", 0, 0): "2021-10-12T08:07:00",
            ("energy", 0, 0): Decimal("9652.220"),
            ("power", 0, 0): 4796,
            ("voltage", 0, 0): 235,
        },
    ),
    (
        "BMT 11772288 room sensor",
        "none",
        "",
        (
            "5744b40988227711101b7ab20800000265a00842658f088201659f08226589081265a0086265510852652b0902fb"
            "1aba0142fb1ab0018201fb1abd0122fb1aa90112fb1aba0162fb1aa60152fb1af501066d3b3bb36b2a00"
        ),
        {
            ("temperature_external", 2, 0): Decimal("22.07"),
            ("humidity", 1, 0): Decimal("43.2"),
            ("datetime", 0, 0): "2019-10-11T19:59:59",
        },
    ),
    (
        "GSS 18046178 electricity",
        "none",
        "",
        (
            "7844731e78610418010278046d0f13bc21040394030000841003690300008420032b000000843003000000008480"
            "10030000000084016d0000bc2184010394030000841103690300008421032b000000843103000000008481100300"
            "00000004fd482e09000004fd5b0000000002fb2d861304fd1700000201"
        ),
        {
            ("energy", 0, 0): Decimal("0.916"),
            ("energy", 0, 1): Decimal("0.873"),
            ("energy", 0, 2): Decimal("0.043"),
            ("energy", 0, 4): Decimal("0.000"),
            ("datetime", 2, 0): "2021-01-28T00:00:00",
            ("voltage", 0, 0): Decimal("235.0"),
            ("frequency", 0, 0): Decimal("49.98"),
        },
    ),
    (
        "APA 01885619 heat",
        "none",
        "",
        (
            "51440186010905001837721956880101064004DA000020026CA9220E017799241103000C13641320000A2D00000A"
            "5A90060A5E800544050E77000001FD0C010A6564370AFD4731030A274907047F00000002"
        ),
        {
            ("date", 0, 0): "2021-02-09",
            ("energy", 0, 0): Decimal("3112.49977"),
            ("volume", 0, 0): Decimal("201.364"),
            ("energy", 1, 0): Decimal("3047.8"),
            ("voltage", 0, 0): Decimal("3.31"),
            ("operating_time", 0, 0): 17_976 * 3600,
        },
    ),
    (
        "ELR 99993030 water",
        "none",
        "",
        (
            "2E449215303099990D077AB50820452F2F0C12495849004C12557545000FB10445007022C50BFFFFFFFF0000FFF0"
            "00"
        ),
        {
            ("volume", 0, 0): Decimal("49.5849"),
            ("volume", 1, 0): Decimal("45.7555"),
            ("manufacturer_data", 0, 0): "b10445007022c50bffffffff0000fff000",
        },
    ),
    (
        "KAM 76348799 cold water",
        "none",
        "",
        "23442D2C998734761B168D2087D19EAD017F1779EDA86AB6710008190000081900007F13",
        {
            ("volume", 0, 0): Decimal("6.408"),
            ("volume", 1, 0): Decimal("6.408"),
            ("temperature_flow", 1, 0): 127,
            ("temperature_external", 1, 0): 19,
        },
    ),
    (
        "KAM 32666857 electricity",
        "none",
        "",
        "27442D2C5768663230028D20E900C91C0011BA79138CCCFB1A030000000000000300000000000000",
        {
            ("energy", 0, 0): Decimal("7.94"),
            ("power", 0, 0): 3,
        },
    ),
    (
        "EFE 10484075 heat",
        "none",
        "",
        (
            "6893936808007275404810C51400043127000004786BF99F00046D040F632B0415E02000004415E0200000840115"
            "E02000000406A02100004406A0210000840106A021000084100600000000C410060000000084110600000000426C"
            "5F2C026C7F2C043B00000000143B08010000042B00000000142B39240000025B1800025F17000461380000000223"
            "810C01FD17000490280B0000005616"
        ),
        {
            ("volume", 0, 0): Decimal("841.6"),
            ("energy", 1, 0): 8608,
            ("date", 1, 0): "2018-12-31",
            ("temperature_difference", 0, 0): Decimal("0.56"),
            ("on_time", 0, 0): 76_824 * 3600,
        },
    ),
    (
        "LUG 70444600 heat",
        "none",
        "",
        (
            "68F8F86808007200464470A7320404270000000974040970040C0E082303000C14079519000B2D0500000B3B0808"
            "000A5B52000A5F51000A6206004C14061818004C0E490603000C7800464470891071609B102D020100DB102D0201"
            "009B103B6009009A105B78009A105F74000C22726701003C22000000007C2200000000426C01018C200600000000"
            "8C3006000000008C80100600000000CC200600000000CC300600000000CC801006000000009A115B64009A115F63"
            "009B113B5208009B112D020100BC0122000000008C010E490603008C2106000000008C3106000000008C81100600"
            "0000008C011406181800046D310ACA210F21040010A0C116"
        ),
        {
            ("energy", 0, 0): 32_308,
            ("volume", 0, 0): Decimal("1995.07"),
            ("power", 0, 0): 500,
            ("power", 0, 1): 10200,
            ("volume", 2, 0): Decimal("1818.06"),
            ("datetime", 0, 0): "2022-01-10T10:49:00",
        },
    ),
    (
        "KAM 77447744 heat",
        "none",
        "",
        (
            "68464668084a72447744772d2c3404060000000406ce86000004ff073444020004ff08f8ce010004141168030004"
            "3b0f02000002593c19025da41104ff220000000004a5ff21c7d02700d916"
        ),
        {
            ("energy", 0, 0): 34510,
            ("volume", 0, 0): Decimal("2232.49"),
            ("temperature_flow", 0, 0): Decimal("64.60"),
            ("operating_time", 0, 0): 2_609_351 * 60,
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
