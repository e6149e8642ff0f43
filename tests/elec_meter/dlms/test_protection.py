from __future__ import annotations

import pytest

from elec_meter.dlms import (
    DlmsServer,
    InvocationCounters,
    Keys,
    Protection,
)
from elec_meter.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    Context,
    Diagnostic,
    Mechanism,
    ReleaseRequest,
)
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import COUNTER_MAX, Ciphering, prove
from elec_meter.dlms.data import octets, uint32
from elec_meter.dlms.get import GetNormal, GetResponse
from elec_meter.dlms.initiate import InitiateRequest
from elec_meter.dlms.notices import (
    ExceptionResponse,
    ServiceError,
    StateError,
)
from elec_meter.dlms.services import ActionResult
from elec_meter.dlms.states import State
from tests.elec_meter.dlms.asking import (
    CLIENT_TITLE,
    EVERYTHING,
    HLS,
    KEYS,
    MANAGEMENT,
    PUBLIC,
    READER,
    Asker,
    associated,
    device_of,
    is_refused,
    lived_in,
    name,
    newcomer,
)

METER = lived_in(4)
IMPORT = name("1-0:1.8.0")
CHALLENGE = bytes(range(100, 116))
UNDECIPHERED = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.DECIPHERING_ERROR)
NOT_POSSIBLE = ExceptionResponse(
    StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE
)


def test_a_request_with_a_wrong_key_opens_nothing() -> None:
    """Nor one in clear, nor one with another title."""
    strange = KEYS._replace(authentication=bytes(16))
    client = newcomer(METER, MANAGEMENT, Ciphering.GLOBAL, keys=strange)
    assert is_refused(
        Diagnostic.AUTHENTICATION_FAILURE,
        decode_apdu(client.send(client.request(Mechanism.HIGH_GMAC, CHALLENGE).to_bytes())),
    )
    clear = InitiateRequest(EVERYTHING, 0).to_bytes()
    request = AssociationRequest(Context.CIPHERED, clear, 5, CHALLENGE, CLIENT_TITLE)
    assert is_refused(
        Diagnostic.AUTHENTICATION_FAILURE, decode_apdu(client.send(request.to_bytes()))
    )
    assert is_refused(
        Diagnostic.CALLING_TITLE_NOT_RECOGNISED,
        decode_apdu(client.send(request._replace(title=b"short").to_bytes())),
    )


def test_a_recorded_association_opens_nothing() -> None:
    """The meter says which counter it would take."""
    client = newcomer(METER, MANAGEMENT, Ciphering.GLOBAL)
    request = client.request(Mechanism.HIGH_GMAC, CHALLENGE).to_bytes()
    assert isinstance(decode_apdu(client.send(request)), AssociationResponse)

    error = ServiceError.INVOCATION_COUNTER_ERROR
    assert ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, error, 2) == decode_apdu(
        client.send(request)
    )
    assert State.NONE is client.server.association(MANAGEMENT)


def test_a_recorded_request_is_not_served_again() -> None:
    """Nor one out of order; the association goes on."""
    client = associated(METER, MANAGEMENT, Ciphering.GENERAL_GLOBAL)
    request = client.sealed(GetNormal(0xC1, IMPORT).to_bytes())
    assert isinstance(decode_apdu(client.opened(client.send(request))), GetResponse)

    for _ in range(2):
        answer = decode_apdu(client.send(request))
        assert ServiceError.INVOCATION_COUNTER_ERROR is answer.service
        assert client.counter == answer.counter
    assert uint32(46) == client.value(IMPORT)


def test_counters_survive_a_restart() -> None:
    """What was recorded before it is refused after it, and no counter is used twice."""
    counters = InvocationCounters()
    device = device_of(METER.directory, counters=counters)
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device)
    request = client.request(Mechanism.HIGH_GMAC, CHALLENGE).to_bytes()
    client.send(request)
    used = counters.next_sent(KEYS)

    restarted = InvocationCounters(counters.state())
    again = DlmsServer(device_of(METER.directory, counters=restarted))
    answer = decode_apdu(again.answer(MANAGEMENT, 1, request))
    assert ServiceError.INVOCATION_COUNTER_ERROR is answer.service
    assert used < restarted.next_sent(KEYS)


@pytest.mark.parametrize(
    "protection", [Protection.NONE, Protection.AUTHENTICATED, Protection.ENCRYPTED]
)
def test_less_protection_than_is_asked_for_is_refused(protection: Protection) -> None:
    """Of the management, everything has both."""
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL)
    client.protection = protection

    assert UNDECIPHERED == client.ask(GetNormal(0xC1, IMPORT))


def test_a_reader_may_authenticate_alone() -> None:
    """And is answered so."""
    client = associated(METER, READER, Ciphering.GLOBAL, protection=Protection.AUTHENTICATED)

    assert uint32(46) == client.value(IMPORT)
    assert b"\xcc" == client.answers[-1][:1]
    assert uint32(46).value.to_bytes(4, "big") in client.answers[-1]


def test_clear_and_ciphered_do_not_mix() -> None:
    """What is agreed on holds for every APDU."""
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL)
    clear = GetNormal(0xC1, IMPORT).to_bytes()
    assert UNDECIPHERED == decode_apdu(client.send(clear))
    assert uint32(46) == client.value(IMPORT)

    client = associated(METER, READER)
    assert UNDECIPHERED == decode_apdu(client.send(client.sealed(clear, Ciphering.GLOBAL)))
    assert uint32(46) == client.value(IMPORT)


def test_another_senders_title_is_refused() -> None:
    """Also with the right key; no title at all is that of the association."""
    client = associated(METER, MANAGEMENT, Ciphering.GENERAL_GLOBAL)
    client.title = b"HES\x00\x00\x00\x00\x02"

    assert UNDECIPHERED == client.ask(GetNormal(0xC1, IMPORT))
    client.title = CLIENT_TITLE
    sealed = client.sealed(GetNormal(0xC1, IMPORT).to_bytes())
    renamed = sealed.replace(CLIENT_TITLE, b"HES\x00\x00\x00\x00\x02")
    assert UNDECIPHERED == decode_apdu(client.send(renamed))
    unnamed = sealed.replace(b"\x08" + CLIENT_TITLE, b"\x00")
    assert isinstance(decode_apdu(client.opened(client.send(unnamed))), GetResponse)


def test_a_proof_has_a_counter_of_its_own_time() -> None:
    """It may be the request's own or one before it, not one that was heard already."""
    for counter, is_taken in ((50, False), (51, True), (52, True), (60, True)):
        client = newcomer(METER, MANAGEMENT, Ciphering.GLOBAL, counter=50)
        response = client.open(5, CHALLENGE)
        proof = prove(response.challenge, KEYS, CLIENT_TITLE, counter)
        client.counter = 52
        outcome = client.ask(ActionNormal(0xC1, HLS, octets(proof))).outcome
        assert is_taken is (outcome.result is ActionResult.SUCCESS)
        if is_taken:
            client.counter = max(counter, 52) + 1
            assert uint32(46) == client.value(IMPORT)
    client.counter = 60
    assert isinstance(client.ask(GetNormal(0xC1, IMPORT)), ExceptionResponse)


def test_without_a_dedicated_key_its_forms_are_refused() -> None:
    """And a key that is none opens nothing."""
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL)
    client.dedicated = bytes(16)
    apdu = client.sealed(GetNormal(0xC1, IMPORT).to_bytes(), Ciphering.DEDICATED)
    assert UNDECIPHERED == decode_apdu(client.send(apdu))

    for bad in (b"short", KEYS.encryption):
        client = newcomer(METER, MANAGEMENT, Ciphering.GLOBAL, dedicated=bad)
        response = decode_apdu(
            client.send(client.request(Mechanism.HIGH_GMAC, CHALLENGE).to_bytes())
        )
        assert is_refused(Diagnostic.AUTHENTICATION_FAILURE, response)


def test_a_release_is_protected_like_everything() -> None:
    """Somebody else's does not end the association."""
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL)
    clear = ReleaseRequest(0, InitiateRequest(EVERYTHING, 0).to_bytes())
    strange = newcomer(
        METER, MANAGEMENT, Ciphering.GLOBAL, keys=Keys(bytes(16), bytes(16)), counter=50
    )
    forged = strange.sealed(InitiateRequest(EVERYTHING, 0).to_bytes())
    for request in (clear, ReleaseRequest(0, forged)):
        assert UNDECIPHERED == decode_apdu(client.send(request.to_bytes()))
    assert uint32(46) == client.value(IMPORT)
    answer = client.release()
    assert 0x28 == answer.information[0]
    assert State.NONE is client.server.association(MANAGEMENT)


def test_the_frame_counter_is_the_highest_heard() -> None:
    """So that whoever begins above it is not refused."""
    device = device_of(METER.directory)
    associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device, counter=500)
    reader = associated(METER, PUBLIC, device=lambda _: device)

    assert uint32(502) == reader.value(name("0-0:43.1.0", class_id=1))


def test_the_frame_counter_is_the_readers_own() -> None:
    """Of its title, whatever another sender of the key has used up; the public may give a title."""
    device, frames = device_of(METER.directory), name("0-0:43.1.0", class_id=1)
    spent = associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device)
    spent.counter = COUNTER_MAX
    assert uint32(COUNTER_MAX) == spent.value(frames)
    other = b"HES\x00\x00\x00\x00\x02"
    mine = associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device, title=other)
    used = mine.counter
    assert uint32(used) == mine.value(frames)
    public = Asker(mine.server)
    for title, expected in ((b"", used), (other, used), (CLIENT_TITLE, COUNTER_MAX)):
        public.send(public.request()._replace(title=title).to_bytes())
        assert uint32(expected) == public.value(frames)


def test_a_counter_at_its_end_is_refused() -> None:
    """In words, to a ciphered APDU and to an AARQ; another sender of the same key is heard."""
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL)
    client.counter = COUNTER_MAX
    assert uint32(46) == client.value(IMPORT)
    for said in (GetNormal(0xC1, IMPORT), None):
        client.counter = COUNTER_MAX
        request = client.request(Mechanism.HIGH_GMAC, CHALLENGE) if said is None else None
        data = client.sealed(said.to_bytes()) if request is None else request.to_bytes()
        assert NOT_POSSIBLE == decode_apdu(client.send(data))
    other = Asker(client.server, MANAGEMENT, Ciphering.GLOBAL, title=b"HES\x00\x00\x00\x00\x02")
    assert not other.prove(other.open(Mechanism.HIGH_GMAC, CHALLENGE), CHALLENGE).outcome.result


def test_a_meter_without_a_counter_left_refuses_too() -> None:
    """It sends nothing in clear instead, and no counter twice."""
    counters = InvocationCounters()
    device = device_of(METER.directory, counters=counters)
    client = associated(METER, MANAGEMENT, Ciphering.GLOBAL, device=lambda _: device)
    counters._of(KEYS).next_sent = COUNTER_MAX + 1
    assert NOT_POSSIBLE == client.ask(GetNormal(0xC1, IMPORT))
