from __future__ import annotations

import pytest
from dlms_cosem import cosem, enumerations
from dlms_cosem.protocol import acse as other_acse
from dlms_cosem.protocol import xdlms
from hypothesis import given
from hypothesis import strategies as st

from elec_meter.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    Context,
    Diagnostic,
    Mechanism,
    ReleaseRequest,
    ReleaseResponse,
    Result,
)
from elec_meter.dlms.action import (
    ActionAnswerBlock,
    ActionBlock,
    ActionBlockTaken,
    ActionFirstBlock,
    ActionList,
    ActionListFirstBlock,
    ActionListResponse,
    ActionNext,
    ActionNormal,
    ActionOutcome,
    ActionResponse,
)
from elec_meter.dlms.apdus import APDU_MAX, Apdu, decode_apdu
from elec_meter.dlms.data import NULL, encode_data, octets, uint16
from elec_meter.dlms.errors import MalformedError, NotSupportedError, PeerError, TooLargeError
from elec_meter.dlms.get import (
    GetBlock,
    GetList,
    GetListResponse,
    GetNext,
    GetNormal,
    GetResponse,
)
from elec_meter.dlms.initiate import Conformance, InitiateRequest, InitiateResponse
from elec_meter.dlms.notices import (
    ConfirmedServiceError,
    DataNotification,
    ExceptionResponse,
    InitiateError,
    ServiceError,
    StateError,
)
from elec_meter.dlms.services import (
    LIST_MAX,
    AccessResult,
    ActionResult,
    Attribute,
    Member,
)
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
from shared.obis import Obis
from tests.elec_meter.dlms import strategies as some

CLOCK = Member(8, Obis.parse("0-0:1.0.0"), 2)
PROPOSED = InitiateRequest(0x007E1F, 1_200)
AGREED = InitiateResponse(0x00501F, 500)

# From the examples of the DLMS UA's "Green Book" (association without and with a password, its
# acceptance, GET of the clock) and what follows from its grammar.
VECTORS = [
    (PROPOSED, "01000000065f1f0400007e1f04b0"),
    (AGREED, "0800065f1f040000501f01f40007"),
    (
        InitiateRequest(0x007E1F, 1_200, bytes.fromhex("00112233445566778899aabbccddeeff")),
        "01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0",
    ),
    (
        AssociationRequest(Context.PLAIN, PROPOSED.to_bytes()),
        "601da109060760857405080101be10040e01000000065f1f0400007e1f04b0",
    ),
    (
        AssociationRequest(Context.PLAIN, PROPOSED.to_bytes(), Mechanism.LOW, b"12345678"),
        (
            "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738"
            "be10040e01000000065f1f0400007e1f04b0"
        ),
    ),
    (
        AssociationResponse(Context.PLAIN, Result.ACCEPTED, Diagnostic.NULL, AGREED.to_bytes()),
        "6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000501f01f40007",
    ),
    (ReleaseRequest(0), "6203800100"),
    (ReleaseResponse(0), "6303800100"),
    (ReleaseRequest(), "6200"),
    (GetNormal(0xC1, Attribute(CLOCK)), "c001c100080000010000ff0200"),
    (GetNext(0xC1, 2), "c002c100000002"),
    (GetResponse(0x81, bytes.fromhex("1201f4")), "c40181001201f4"),
    (GetResponse(0x81, AccessResult.OBJECT_UNDEFINED), "c401810104"),
    (GetBlock(0x81, False, 1, b"\x01\x02"), "c40281000000000100020102"),
    (GetBlock(0x81, True, 2, AccessResult.LONG_GET_ABORTED), "c402810100000002010f"),
    (SetNormal(0x81, Attribute(CLOCK), uint16(500)), "c1018100080000010000ff02001201f4"),
    (SetResponse(0x81, AccessResult.READ_WRITE_DENIED), "c5018103"),
    (SetBlockTaken(0x81, 1), "c5028100000001"),
    (ActionNormal(0xC1, CLOCK), "c301c100080000010000ff0200"),
    (ActionNormal(0xC1, CLOCK, octets(b"\x07")), "c301c100080000010000ff0201090107"),
    (ActionResponse(0xC1, ActionOutcome(ActionResult.SUCCESS)), "c701c10000"),
    (ActionResponse(0xC1, ActionOutcome(ActionResult.SUCCESS, b"\x00")), "c701c100010000"),
    (ConfirmedServiceError(InitiateError.PDU_SIZE_TOO_SHORT), "0e010603"),
    (
        ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.SERVICE_NOT_SUPPORTED),
        "d80202",
    ),
    (
        ExceptionResponse(
            StateError.SERVICE_NOT_ALLOWED, ServiceError.INVOCATION_COUNTER_ERROR, 0x01234567
        ),
        "d8010601234567",
    ),
    (DataNotification(1, b"", NULL), "0f000000010000"),
]


@pytest.mark.parametrize(("apdu", "encoded"), VECTORS, ids=[each for _, each in VECTORS])
def test_an_apdu_is_these_bytes(apdu: Apdu, encoded: str) -> None:
    """Both ways."""
    assert encoded == apdu.to_bytes().hex()
    assert apdu == decode_apdu(bytes.fromhex(encoded))


_attributes = st.lists(some.attributes, max_size=4).map(tuple)
_methods = st.lists(some.members, max_size=4).map(tuple)
_access = st.sampled_from(AccessResult)
_results = some.data.map(encode_data) | _access
_outcomes = st.builds(ActionOutcome, st.sampled_from(ActionResult), st.none() | _results)
_short = st.binary(max_size=60)
_numbers = some.numbers
_mechanisms = st.none() | st.sampled_from(Mechanism)


def _pairs(items: st.SearchStrategy, values: st.SearchStrategy) -> st.SearchStrategy:
    """As many of the one as of the other."""
    return st.lists(st.tuples(items, values), max_size=4).map(
        lambda pairs: (tuple(each[0] for each in pairs), tuple(each[1] for each in pairs))
    )


APDUS = st.one_of(
    st.builds(GetNormal, some.invokes, some.attributes),
    st.builds(GetNext, some.invokes, _numbers),
    st.builds(GetList, some.invokes, _attributes),
    st.builds(GetResponse, some.invokes, _results),
    st.builds(GetBlock, some.invokes, st.booleans(), _numbers, _short | _access),
    st.builds(GetListResponse, some.invokes, st.lists(_results, max_size=3).map(tuple)),
    st.builds(SetNormal, some.invokes, some.attributes, some.data),
    st.builds(SetFirstBlock, some.invokes, some.attributes, some.blocks),
    st.builds(SetBlock, some.invokes, some.blocks),
    st.tuples(some.invokes, _pairs(some.attributes, some.data)).map(
        lambda each: SetList(each[0], *each[1])
    ),
    st.builds(SetListFirstBlock, some.invokes, _attributes, some.blocks),
    st.builds(SetResponse, some.invokes, _access),
    st.builds(SetBlockTaken, some.invokes, _numbers),
    st.builds(SetLastBlockResponse, some.invokes, _access, _numbers),
    st.builds(
        SetListLastBlockResponse, some.invokes, st.lists(_access, max_size=4).map(tuple), _numbers
    ),
    st.builds(SetListResponse, some.invokes, st.lists(_access, max_size=4).map(tuple)),
    st.builds(ActionNormal, some.invokes, some.members, st.none() | some.data),
    st.builds(ActionNext, some.invokes, _numbers),
    st.tuples(some.invokes, _pairs(some.members, some.data)).map(
        lambda each: ActionList(each[0], *each[1])
    ),
    st.builds(ActionFirstBlock, some.invokes, some.members, some.blocks),
    st.builds(ActionListFirstBlock, some.invokes, _methods, some.blocks),
    st.builds(ActionBlock, some.invokes, some.blocks),
    st.builds(ActionResponse, some.invokes, _outcomes),
    st.builds(ActionAnswerBlock, some.invokes, some.blocks),
    st.builds(ActionListResponse, some.invokes, st.lists(_outcomes, max_size=3).map(tuple)),
    st.builds(ActionBlockTaken, some.invokes, _numbers),
    st.builds(
        InitiateRequest,
        st.integers(0, 2**24 - 1),
        st.integers(0, 0xFFFF),
        st.just(b"") | st.binary(min_size=16, max_size=16),
        st.integers(0, 255),
        st.booleans(),
        st.none() | st.integers(-128, 127),
    ),
    st.builds(
        InitiateResponse,
        st.integers(0, 2**24 - 1),
        st.integers(0, 0xFFFF),
        st.integers(0, 255),
        st.none() | st.integers(-128, 127),
    ),
    st.tuples(st.integers(0, 255), _short, _mechanisms, _short, st.binary(max_size=8)).map(
        lambda each: AssociationRequest(*each[:3], b"" if each[2] is None else each[3], each[4])
    ),
    st.tuples(
        st.integers(0, 255),
        st.sampled_from(Result),
        st.integers(0, 255),
        _short,
        _mechanisms,
        _short,
        st.binary(max_size=8),
        st.booleans(),
    ).map(
        lambda each: AssociationResponse(*each[:5], b"" if each[4] is None else each[5], *each[6:])
    ),
    st.builds(ReleaseRequest, st.none() | st.integers(0, 255), _short),
    st.builds(ReleaseResponse, st.none() | st.integers(0, 255), _short),
    st.builds(ConfirmedServiceError, st.sampled_from(InitiateError)),
    st.builds(DataNotification, _numbers, st.sampled_from([b"", bytes(12)]), some.data),
)


@given(APDUS)
def test_what_is_encoded_is_decoded(apdu: Apdu) -> None:
    """Every kind of APDU, with whatever is in it."""
    assert apdu == decode_apdu(apdu.to_bytes())


@given(APDUS, st.data())
def test_a_part_of_an_apdu_is_refused(apdu: Apdu, data: st.DataObject) -> None:
    """Layers below deliver it whole, so there is nothing to wait for."""
    encoded = apdu.to_bytes()
    end = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedError):
        decode_apdu(encoded[:end])
    with pytest.raises(MalformedError):
        decode_apdu(encoded + b"\x00")


@given(st.sampled_from(VECTORS), st.binary(max_size=60))
def test_any_bytes_are_an_apdu_or_refused(vector: tuple[Apdu, str], noise: bytes) -> None:
    """Typed refusals, whatever follows a tag."""
    for data in (noise, bytes.fromhex(vector[1])[:3] + noise):
        try:
            apdu = decode_apdu(data)
        except PeerError:
            continue
        assert apdu == decode_apdu(apdu.to_bytes())


@pytest.mark.parametrize("data", ["0600", "05", "0c", "c8", "db", "dd", "40", "c2"])
def test_what_a_meter_has_no_use_for_is_refused(data: str) -> None:
    """Short names, general block transfer, ciphered APDUs where clear ones are looked for."""
    with pytest.raises(NotSupportedError):
        decode_apdu(bytes.fromhex(data))


def test_lists_and_apdus_have_limits() -> None:
    """One item, one byte more is refused."""
    longest = (Attribute(CLOCK),) * LIST_MAX
    assert longest == decode_apdu(GetList(1, longest).to_bytes()).attributes  # type: ignore[union-attr] # a GetList has them
    with pytest.raises(TooLargeError):
        decode_apdu(GetList(1, (*longest, Attribute(CLOCK))).to_bytes())
    with pytest.raises(TooLargeError):
        decode_apdu(bytes(APDU_MAX + 1))


def test_a_list_has_as_many_values_as_attributes() -> None:
    """Otherwise nobody knows what is meant."""
    for apdu in (SetList(1, (Attribute(CLOCK),), ()), ActionList(1, (CLOCK,), (NULL, NULL))):
        with pytest.raises(MalformedError):
            decode_apdu(apdu.to_bytes())


def test_a_field_is_not_there_twice() -> None:
    """Which of them would count?"""
    with pytest.raises(MalformedError):
        decode_apdu(bytes.fromhex("6206800100800100"))


def test_conformance_bits_are_where_another_library_has_them() -> None:
    """Bit 0 of the standard's bit-string is the highest."""
    theirs = xdlms.Conformance(
        get=True, action=True, general_protection=True, selective_access=True
    )
    ours = (
        Conformance.GET
        | Conformance.ACTION
        | Conformance.GENERAL_PROTECTION
        | Conformance.SELECTIVE_ACCESS
    )

    assert theirs.to_bytes()[1:] == ours.to_bytes(3, "big")


def test_another_library_reads_what_a_server_says() -> None:
    """Acceptance, an attribute, a block, the end of a change, an exception."""
    accepted = AssociationResponse(
        Context.CIPHERED,
        Result.ACCEPTED,
        Diagnostic.AUTHENTICATION_REQUIRED,
        AGREED.to_bytes(),
        Mechanism.HIGH_GMAC,
        b"challenge",
        b"HHY\x00\x00\x00\x00\x01",
    )
    theirs = other_acse.ApplicationAssociationResponse.from_bytes(accepted.to_bytes())
    assert enumerations.AssociationResult.ACCEPTED == theirs.result
    assert b"challenge" == theirs.authentication_value
    assert b"HHY\x00\x00\x00\x00\x01" == theirs.system_title
    assert enumerations.AuthenticationMechanism.HLS_GMAC == theirs.authentication
    assert 500 == theirs.user_information.content.server_max_receive_pdu_size

    answered = xdlms.GetResponseFactory.from_bytes(GetResponse(0xC1, b"\x12\x01\xf4").to_bytes())
    assert b"\x12\x01\xf4" == answered.data
    block = xdlms.GetResponseFactory.from_bytes(GetBlock(0xC1, False, 1, b"ab").to_bytes())
    assert (b"ab", 1) == (block.data, block.block_number)
    error = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.OTHER_REASON)
    assert (
        enumerations.StateException.SERVICE_NOT_ALLOWED
        == xdlms.ExceptionResponse.from_bytes(error.to_bytes()).state_error
    )


def test_what_another_library_asks_is_read() -> None:
    """Of the clock."""
    attribute = cosem.CosemAttribute(
        enumerations.CosemInterface.CLOCK, cosem.Obis(0, 0, 1, 0, 0), 2
    )
    asked = decode_apdu(xdlms.GetRequestNormal(attribute).to_bytes())

    assert isinstance(asked, GetNormal)
    assert Attribute(CLOCK) == asked.attribute
