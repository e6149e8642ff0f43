from __future__ import annotations

import pytest

from elec_meter.dlms import DlmsServer
from elec_meter.dlms.action import (
    ActionBlock,
    ActionBlockTaken,
    ActionFirstBlock,
    ActionList,
    ActionListFirstBlock,
    ActionNext,
    ActionNormal,
    ActionOutcome,
)
from elec_meter.dlms.blocks import RECEIVED_MAX, payload
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.data import CosemData, decode_data, encode_data, octets, uint8, uint16, uint32
from elec_meter.dlms.get import (
    GetBlock,
    GetList,
    GetListResponse,
    GetNext,
    GetNormal,
    GetResponse,
    encode_results,
)
from elec_meter.dlms.initiate import PDU_MIN, Conformance
from elec_meter.dlms.notices import ExceptionResponse, ServiceError, StateError
from elec_meter.dlms.policy import Level
from elec_meter.dlms.services import AccessResult, ActionResult, Attribute, Block, Member
from elec_meter.dlms.setting import (
    SetBlock,
    SetBlockTaken,
    SetFirstBlock,
    SetLastBlockResponse,
    SetList,
    SetListFirstBlock,
    SetListLastBlockResponse,
    SetListResponse,
    SetNormal,
    SetResponse,
)
from elec_meter.dlms.view import AccessMode
from shared.obis import Obis
from tests.elec_meter.dlms.asking import (
    MANAGEMENT,
    PUBLIC,
    READER,
    Asker,
    associated,
    by_entry,
    by_range,
    device_of,
    lived_in,
    name,
)

METER = lived_in(48)
CLOCK = name("0-0:1.0.0", class_id=8)
IMPORT = name("1-0:1.8.0")
PROFILE = name("1-0:99.1.0", class_id=7)
COMPACT = name("1-0:99.1.1", class_id=7)
OBJECTS = name("0-0:40.0.0", class_id=15)
UNSUPPORTED = ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.SERVICE_NOT_SUPPORTED)


SIZES = (*range(PDU_MIN, 80), 126, 127, 128, 129, 130, 255, 256, 257, 300, 1_000, 1_690, 1_700)


@pytest.mark.parametrize("form", [None, *Ciphering])
@pytest.mark.parametrize("send_max", SIZES)
def test_a_long_answer_fits_whatever_the_client_takes(
    form: Ciphering | None, send_max: int
) -> None:
    """At every size from the smallest allowed, in clear and ciphered, and is the same."""
    whole = associated(METER, READER).get(PROFILE)
    client = associated(METER, READER, form, send_max=send_max, dedicated=bytes(16))
    client.longest = 0

    assert whole == client.get(PROFILE)
    assert client.longest <= send_max
    if send_max < len(whole):
        assert send_max - 4 <= client.longest


def test_blocks_are_numbered_from_one() -> None:
    """Each asked for with the number of the one before."""
    client = associated(METER, READER, send_max=100)
    size = len(associated(METER, READER).get(PROFILE))
    last = -(-size // payload(100))
    answer = client.ask(GetNormal(0xC7, PROFILE))
    for number in range(1, last + 1):
        assert isinstance(answer, GetBlock)
        assert (0xC7, number, number == last) == (answer.invoke, answer.number, answer.is_last)
        answer = client.ask(GetNext(0xC7, number))
    missing = AccessResult.NO_LONG_GET_IN_PROGRESS
    assert GetBlock(0xC7, True, last, missing) == answer


@pytest.mark.parametrize("number", [0, 2, 9, 0xFFFFFFFF])
def test_a_wrong_block_number_ends_the_answer(number: int) -> None:
    """And the client is told."""
    client = associated(METER, READER, send_max=100)
    client.ask(GetNormal(0xC1, PROFILE))
    wrong = AccessResult.DATA_BLOCK_NUMBER_INVALID

    assert GetBlock(0xC1, True, number, wrong) == client.ask(GetNext(0xC1, number))
    missing = AccessResult.NO_LONG_GET_IN_PROGRESS
    assert GetBlock(0xC1, True, 1, missing) == client.ask(GetNext(0xC1, 1))


def test_a_new_question_ends_a_long_answer() -> None:
    """Its rest is forgotten."""
    client = associated(METER, READER, send_max=100)
    client.ask(GetNormal(0xC1, PROFILE))
    assert isinstance(client.ask(GetNormal(0xC1, CLOCK)), GetResponse)
    assert AccessResult.NO_LONG_GET_IN_PROGRESS is client.ask(GetNext(0xC1, 1)).raw


def test_who_knows_no_blocks_is_told_that_there_are_some() -> None:
    """Of one attribute, and of a list."""
    client = associated(METER, READER)
    client.send_max = 100
    known = Conformance.GET | Conformance.MULTIPLE_REFERENCES
    client.open(1, b"halfhourly", conformance=known)
    result = AccessResult.DATA_BLOCK_UNAVAILABLE

    assert result is client.get(PROFILE)
    assert (result,) * 2 == client.ask(GetList(0xC1, (PROFILE, CLOCK))).results


def test_a_list_is_answered_in_order() -> None:
    """Values and errors; in blocks where it is long."""
    attributes = (IMPORT, name("1-0:9.9.9"), PROFILE)
    client = associated(METER, READER)
    answer = client.ask(GetList(0xC1, attributes))
    assert isinstance(answer, GetListResponse)
    assert encode_data(uint32(1_608)) == answer.results[0]
    assert AccessResult.OBJECT_UNDEFINED is answer.results[1]

    small = associated(METER, READER, send_max=200)
    block, raw = small.ask(GetList(0xC1, attributes)), b""
    while not block.is_last:
        raw += block.raw
        block = small.ask(GetNext(0xC1, block.number))
    assert encode_results(answer.results) == raw + block.raw


@pytest.mark.parametrize(
    ("attribute", "result"),
    [
        (name("1-0:9.9.9"), AccessResult.OBJECT_UNDEFINED),
        (name("1-0:1.8.0", class_id=4), AccessResult.OBJECT_CLASS_INCONSISTENT),
        (name("1-0:1.8.0", 9), AccessResult.OBJECT_UNAVAILABLE),
        (name("1-0:1.8.0", 0), AccessResult.OBJECT_UNAVAILABLE),
        (name("1-0:1.8.0", -1), AccessResult.OBJECT_UNAVAILABLE),
        (name("0-0:40.0.0", 7, 15), AccessResult.OBJECT_UNAVAILABLE),
        (IMPORT._replace(selection=by_entry(1, 1)), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (OBJECTS._replace(selection=by_entry(1, 1)), AccessResult.SCOPE_OF_ACCESS_VIOLATED),
        (PROFILE._replace(selection=by_range(None, None, uint8(1))), AccessResult.TYPE_UNMATCHED),
    ],
)
def test_what_is_not_there_is_refused(attribute: Attribute, result: AccessResult) -> None:
    """As COSEM says it; the association goes on."""
    client = associated(METER, READER)

    assert result is client.get(attribute)
    assert uint32(1_608) == client.value(IMPORT)


def test_the_public_reads_no_personal_data() -> None:
    """Every attribute that the policy keeps from it, and none of the others, is refused."""
    public, reader = associated(METER, PUBLIC), associated(METER, READER)
    for profile in (PROFILE, COMPACT, name("0-0:99.98.0", class_id=7)):
        assert AccessResult.READ_WRITE_DENIED is public.get(profile)
        assert isinstance(reader.get(profile), bytes)
    assert AccessResult.READ_WRITE_DENIED is public.get(name("1-0:1.7.0"))
    assert isinstance(public.get(CLOCK), bytes)
    assert isinstance(public.get(IMPORT), bytes)


@pytest.mark.parametrize("sap", [PUBLIC, READER])
def test_what_is_listed_as_readable_can_be_read(sap: int) -> None:
    """Every attribute of every object that an association is told of, and nothing else."""
    client = associated(METER, sap)
    listed = client.value(OBJECTS).value
    seen = set()
    for class_id, version, obis, rights in (each.value for each in listed):
        assert isinstance(version.value, int)
        for number, access, _ in (each.value for each in rights.value[0].value):
            member = Member(class_id.value, Obis.from_bytes(obis.value), number.value)
            is_given = isinstance(client.get(Attribute(member)), bytes)
            assert AccessMode(is_given) is AccessMode(access.value), member
            if is_given:
                seen.add((member.obis, member.number))
    for each in METER.directory:
        for number in each.attributes:
            readable = isinstance(client.get(name(each, number)), bytes)
            assert readable == ((each.obis, number) in seen) or number == 1


def test_selections_reach_both_profiles() -> None:
    """Also through a list."""
    client = associated(METER, READER)
    attributes = tuple(each._replace(selection=by_entry(3, 4)) for each in (PROFILE, COMPACT))
    rows, compact = (
        decode_data(each).value for each in client.ask(GetList(0xC1, attributes)).results
    )

    assert [12, 13] == [row.value[2].value for row in rows]
    assert [12, 13] == [row.value[3].value for row in compact.elements]


class Settings:
    """Takes 16-bit numbers, and remembers them."""

    def __init__(self) -> None:
        self.written: list[tuple[Level, Member, CosemData | None]] = []

    def write(self, level: Level, member: Member, value: CosemData) -> AccessResult:
        """If it is one."""
        if value.tag != uint16(0).tag:
            return AccessResult.TYPE_UNMATCHED
        self.written.append((level, member, value))
        return AccessResult.SUCCESS

    def invoke(self, level: Level, member: Member, value: CosemData | None) -> ActionOutcome:
        """Return it doubled."""
        self.written.append((level, member, value))
        return ActionOutcome(ActionResult.SUCCESS, None if value is None else encode_data(value))


def changing() -> tuple[Asker, Settings]:
    """A management client, and what it changes."""
    settings = Settings()
    device = device_of(METER.directory, changes=settings)
    return associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device), settings


METHOD = CLOCK.member._replace(number=3)


def cut(raw: bytes, size: int) -> list[Block]:
    """Blocks of something long."""
    starts = range(0, len(raw), size)
    return [
        Block(at + size >= len(raw), number, raw[at : at + size])
        for number, at in enumerate(starts, start=1)
    ]


def test_attributes_are_set_one_or_several_at_once() -> None:
    """Each with its own result."""
    client, settings = changing()

    assert SetResponse(0xC1, AccessResult.SUCCESS) == client.ask(SetNormal(0xC1, CLOCK, uint16(1)))
    assert SetListResponse(
        0xC1, (AccessResult.SUCCESS, AccessResult.TYPE_UNMATCHED, AccessResult.OBJECT_UNDEFINED)
    ) == client.ask(
        SetList(0xC1, (CLOCK, CLOCK, name("1-0:9.9.9")), (uint16(2), uint8(3), uint16(4)))
    )
    assert [1, 2] == [value.value for _, _, value in settings.written]
    assert {Level.SUPPLIER} == {level for level, _, _ in settings.written}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_values_come_in_blocks(size: int) -> None:
    """One, and a list of them."""
    client, settings = changing()
    first, *others = cut(encode_data(uint16(500)), size)
    answer = client.ask(SetFirstBlock(0xC1, CLOCK, first))
    for block in others:
        assert SetBlockTaken(0xC1, block.number - 1) == answer
        answer = client.ask(SetBlock(0xC1, block))
    last = others[-1].number if others else 1
    assert SetLastBlockResponse(0xC1, AccessResult.SUCCESS, last) == answer

    raw = b"\x02" + encode_data(uint16(501)) + encode_data(uint8(1))
    first, *others = cut(raw, size)
    answer = client.ask(SetListFirstBlock(0xC1, (CLOCK, CLOCK), first))
    for block in others:
        answer = client.ask(SetBlock(0xC1, block))
    results = (AccessResult.SUCCESS, AccessResult.TYPE_UNMATCHED)
    assert SetListLastBlockResponse(0xC1, results, len(cut(raw, size))) == answer
    assert [500, 501] == [value.value for _, _, value in settings.written]


@pytest.mark.parametrize("raw", [b"\x12\x01", b"\x12\x01\xf4\x00", b"\x07", b""])
def test_what_came_in_blocks_and_is_no_value_is_refused(raw: bytes) -> None:
    """Whole or not at all."""
    client, settings = changing()
    answer = client.ask(SetFirstBlock(0xC1, CLOCK, Block(True, 1, raw)))

    assert SetLastBlockResponse(0xC1, AccessResult.TYPE_UNMATCHED, 1) == answer
    answer = client.ask(SetListFirstBlock(0xC1, (CLOCK,), Block(True, 1, b"\x00" + raw)))
    assert (AccessResult.TYPE_UNMATCHED,) == answer.results
    outcome = client.ask(ActionFirstBlock(0xC1, METHOD, Block(True, 1, raw))).outcome
    assert ActionResult.TYPE_UNMATCHED is outcome.result
    assert [] == settings.written


def test_blocks_out_of_order_are_refused() -> None:
    """Without a first one, and with a number left out."""
    client, settings = changing()
    missing = AccessResult.NO_LONG_SET_IN_PROGRESS
    wrong = AccessResult.DATA_BLOCK_NUMBER_INVALID
    assert SetLastBlockResponse(0xC1, missing, 2) == client.ask(SetBlock(0xC1, Block(True, 2, b"")))
    client.ask(SetFirstBlock(0xC1, CLOCK, Block(False, 1, b"\x12")))
    assert SetLastBlockResponse(0xC1, wrong, 3) == client.ask(SetBlock(0xC1, Block(True, 3, b"")))
    assert missing is client.ask(SetBlock(0xC1, Block(True, 2, b"\x01\xf4"))).result
    assert [] == settings.written


def test_what_comes_in_blocks_has_a_limit() -> None:
    """Nobody makes the meter remember more."""
    client, _ = changing()
    answer = client.ask(SetFirstBlock(0xC1, CLOCK, Block(False, 1, bytes(3_000))))
    number = 1
    while isinstance(answer, SetBlockTaken):
        number += 1
        answer = client.ask(SetBlock(0xC1, Block(False, number, bytes(3_000))))

    assert RECEIVED_MAX // 3_000 + 1 == number
    assert AccessResult.DATA_BLOCK_NUMBER_INVALID is answer.result


def test_methods_are_invoked_one_or_several_at_once_and_in_blocks() -> None:
    """With what they return."""
    client, settings = changing()
    done = ActionOutcome(ActionResult.SUCCESS, encode_data(uint8(7)))

    assert ActionOutcome(ActionResult.SUCCESS) == client.ask(ActionNormal(0xC1, METHOD)).outcome
    assert done == client.ask(ActionNormal(0xC1, METHOD, uint8(7))).outcome
    unknown = METHOD._replace(obis=Obis.parse("1-0:9.9.9"))
    undefined = ActionOutcome(ActionResult.OBJECT_UNDEFINED)
    several = ActionList(0xC1, (METHOD, unknown), (uint8(7), uint8(8)))
    assert (done, undefined) == client.ask(several).outcomes

    begun = client.ask(ActionFirstBlock(0xC1, METHOD, Block(False, 1, b"\x11")))
    assert ActionBlockTaken(0xC1, 1) == begun
    assert done == client.ask(ActionBlock(0xC1, Block(True, 2, b"\x07"))).outcome
    raw = b"\x01" + encode_data(uint8(7))
    begun = client.ask(ActionListFirstBlock(0xC1, (METHOD,), Block(False, 1, raw[:1])))
    assert (done,) == client.ask(ActionBlock(0xC1, Block(True, 2, raw[1:]))).outcomes
    assert 5 == len(settings.written)


def test_long_actions_that_were_not_begun_are_refused() -> None:
    """Blocks and calls for blocks; and one out of order aborts."""
    client, _ = changing()
    missing = ActionOutcome(ActionResult.NO_LONG_ACTION_IN_PROGRESS)
    aborted = ActionOutcome(ActionResult.LONG_ACTION_ABORTED)

    assert missing == client.ask(ActionNext(0xC1, 1)).outcome
    assert missing == client.ask(ActionBlock(0xC1, Block(True, 1, b""))).outcome
    assert aborted == client.ask(ActionFirstBlock(0xC1, METHOD, Block(True, 2, b""))).outcome


def test_without_a_way_to_change_anything_everything_is_denied() -> None:
    """Politely; also what belongs to DLMS itself, and a part of an attribute."""
    client = associated(METER, READER)
    denied = AccessResult.READ_WRITE_DENIED
    for attribute in (CLOCK, OBJECTS):
        assert denied is client.ask(SetNormal(0xC1, attribute, octets(b""))).result
        method = attribute.member._replace(number=1)
        outcome = client.ask(ActionNormal(0xC1, method, octets(b""))).outcome
        assert ActionResult.READ_WRITE_DENIED is outcome.result
    changer, settings = changing()
    part = PROFILE._replace(selection=by_entry(1, 1))
    assert denied is changer.ask(SetNormal(0xC1, part, uint16(1))).result
    assert [] == settings.written


@pytest.mark.parametrize(
    ("agreed", "request_"),
    [
        (Conformance.GET, SetNormal(0xC1, CLOCK, uint8(1))),
        (Conformance.GET, GetList(0xC1, (CLOCK,))),
        (Conformance.GET, GetNormal(0xC1, PROFILE._replace(selection=by_entry(1, 1)))),
        (Conformance.GET | Conformance.SET, SetFirstBlock(0xC1, CLOCK, Block(True, 1, b"\x00"))),
        (Conformance.GET | Conformance.SET, SetList(0xC1, (CLOCK,), (uint8(1),))),
        (Conformance.GET, ActionNormal(0xC1, METHOD)),
        (Conformance.GET | Conformance.ACTION, ActionBlock(0xC1, Block(True, 1, b""))),
    ],
)
def test_what_was_not_agreed_on_is_not_served(agreed: Conformance, request_: GetNormal) -> None:
    """A service, a list, a selection, blocks."""
    client = Asker(DlmsServer(device_of(METER.directory)), READER)
    client.open(1, b"halfhourly", conformance=agreed)

    assert UNSUPPORTED == client.ask(request_)
