from __future__ import annotations

import pytest

from elec_meter.dlms import (
    ClientRule,
    DlmsServer,
    Keys,
    LogicalDevice,
    management_client,
    public_client,
)
from elec_meter.dlms.acse import (
    Context,
    Diagnostic,
    Mechanism,
    ReleaseResponse,
    Result,
)
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import Ciphering, prove
from elec_meter.dlms.data import NULL, enum, octets, uint32
from elec_meter.dlms.device import OFFERED
from elec_meter.dlms.get import GetNormal
from elec_meter.dlms.initiate import Conformance
from elec_meter.dlms.notices import (
    ConfirmedServiceError,
    ExceptionResponse,
    InitiateError,
    ServiceError,
    StateError,
)
from elec_meter.dlms.policy import Level
from elec_meter.dlms.services import AccessResult, ActionResult
from elec_meter.dlms.states import TRANSITIONS, Event, State, next_state
from elec_meter.errors import CheckpointFailedError, ConfigError
from tests.elec_meter.dlms.asking import (
    HLS,
    KEYS,
    MANAGEMENT,
    PASSWORD,
    PUBLIC,
    READER,
    TITLE,
    Asker,
    associated,
    device_of,
    is_refused,
    lived_in,
    name,
    newcomer,
)

METER = lived_in(4)
CLOCK = name("0-0:1.0.0", class_id=8)
IMPORT = name("1-0:1.8.0")
CHALLENGE = bytes(range(100, 116))
NOT_ALLOWED = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE)


@pytest.mark.parametrize("state", State)
def test_whatever_the_table_does_not_name_ends_the_association(state: State) -> None:
    """No event leads anywhere by accident."""
    for event in Event:
        if event not in TRANSITIONS[state]:
            assert State.NONE is next_state(state, event)
    assert Event.PROVED not in TRANSITIONS[State.NONE]


def test_the_public_associates_without_a_word() -> None:
    """And is told what the meter knows of what it asked for."""
    client = newcomer(METER)
    response = client.open()

    assert (Result.ACCEPTED, Diagnostic.NULL, Context.PLAIN) == (
        response.result,
        response.diagnostic,
        response.context,
    )
    assert (OFFERED, 4_096) == (client.agreed.conformance, client.agreed.receive_max)
    assert State.ASSOCIATED is client.server.association(PUBLIC)
    assert ReleaseResponse(0) == client.release()
    assert State.NONE is client.server.association(PUBLIC)


def test_only_what_both_know_is_agreed_on() -> None:
    """Bits of each other's that one does not know are dropped."""
    client = newcomer(METER)
    client.open(conformance=Conformance.GET | Conformance.ACCESS | Conformance.SET)

    assert Conformance.GET | Conformance.SET == client.agreed.conformance


def test_a_password_opens_the_reader() -> None:
    """The right one."""
    assert Result.ACCEPTED is newcomer(METER, READER).open(Mechanism.LOW, PASSWORD).result
    for wrong in (b"", b"halfhourl", b"halfhourlz", b"halfhourly ", b"x" * 64):
        assert is_refused(
            Diagnostic.AUTHENTICATION_FAILURE, newcomer(METER, READER).open(Mechanism.LOW, wrong)
        )


@pytest.mark.parametrize("form", Ciphering)
def test_a_key_opens_the_management(form: Ciphering) -> None:
    """Whatever the form of what follows; each proves itself to the other."""
    client = newcomer(METER, MANAGEMENT, form, dedicated=bytes(15) + b"\x01")
    response = client.open(Mechanism.HIGH_GMAC, CHALLENGE)

    assert (Result.ACCEPTED, Diagnostic.AUTHENTICATION_REQUIRED, TITLE) == (
        response.result,
        response.diagnostic,
        response.title,
    )
    assert State.PENDING is client.server.association(MANAGEMENT)
    answer = client.prove(response, CHALLENGE)
    assert State.ASSOCIATED is client.server.association(MANAGEMENT)
    proof = answer.outcome.returned[2:]
    counter = int.from_bytes(proof[1:5], "big")
    assert prove(CHALLENGE, KEYS, TITLE, counter) == proof
    assert uint32(46) == client.value(IMPORT)
    assert isinstance(client.release(), ReleaseResponse)


def test_a_key_opens_the_reader_without_ciphering_too() -> None:
    """What it reads is in clear then."""
    client = newcomer(METER, READER)
    response = client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    client.prove(response, CHALLENGE)

    assert uint32(46) == client.value(IMPORT)


def test_until_the_proof_nothing_is_served() -> None:
    """And a wrong one ends it."""
    client = newcomer(METER, MANAGEMENT, Ciphering.GLOBAL)
    response = client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, CLOCK))
    assert NOT_ALLOWED == client.ask(ActionNormal(0xC1, HLS._replace(number=2), NULL))

    wrong = client.prove(response._replace(challenge=b"x" * 16), CHALLENGE)
    assert ActionResult.READ_WRITE_DENIED is wrong.outcome.result
    assert State.NONE is client.server.association(MANAGEMENT)
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, CLOCK))


@pytest.mark.parametrize("parameters", [None, NULL, octets(b""), octets(bytes(17)), uint32(1)])
def test_what_is_no_proof_ends_it(parameters: object) -> None:
    """Nothing, something else, another length."""
    client = newcomer(METER, READER)
    client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    answer = client.ask(ActionNormal(0xC1, HLS, parameters))

    assert ActionResult.READ_WRITE_DENIED is answer.outcome.result
    assert State.NONE is client.server.association(READER)


def test_the_meters_own_challenge_is_no_proof() -> None:
    """What it said to one client it does not take from another."""
    client = newcomer(METER, READER)
    response = client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    client.title, client.keys = TITLE, KEYS
    assert client.prove(response, CHALLENGE).outcome.result
    client = newcomer(METER, READER, title=TITLE)
    assert is_refused(
        Diagnostic.CALLING_TITLE_NOT_RECOGNISED, client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    )


@pytest.mark.parametrize(
    ("sap", "mechanism", "secret", "diagnostic"),
    [
        (READER, None, b"", Diagnostic.MECHANISM_REQUIRED),
        (MANAGEMENT, None, b"", Diagnostic.MECHANISM_REQUIRED),
        (MANAGEMENT, Mechanism.LOW, PASSWORD, Diagnostic.AUTHENTICATION_FAILURE),
        (PUBLIC, Mechanism.LOW, b"", Diagnostic.AUTHENTICATION_FAILURE),
        (PUBLIC, Mechanism.HIGH_GMAC, CHALLENGE, Diagnostic.AUTHENTICATION_FAILURE),
        (99, None, b"", Diagnostic.MECHANISM_REQUIRED),
        (99, Mechanism.LOW, PASSWORD, Diagnostic.AUTHENTICATION_FAILURE),
        (MANAGEMENT, Mechanism.HIGH_GMAC, CHALLENGE, Diagnostic.CONTEXT_NOT_SUPPORTED),
        (READER, 3, CHALLENGE, Diagnostic.MECHANISM_NOT_RECOGNISED),
        (READER, Mechanism.HIGH_GMAC, b"short", Diagnostic.AUTHENTICATION_FAILURE),
    ],
)
def test_who_may_not_is_told_why(
    sap: int, mechanism: int | None, secret: bytes, diagnostic: Diagnostic
) -> None:
    """In clear, as ACSE says it; nothing is remembered of it."""
    client = newcomer(METER, sap)

    assert is_refused(diagnostic, client.open(mechanism, secret))
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, CLOCK))
    assert not client.server._associations


@pytest.mark.parametrize("context", [0, 2, 4, 5])
def test_short_names_are_not_spoken(context: int) -> None:
    """Nor contexts that nobody knows."""
    client = newcomer(METER)
    request = client.request()._replace(context=context)

    assert is_refused(
        Diagnostic.CONTEXT_NOT_SUPPORTED, decode_apdu(client.send(request.to_bytes()))
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"version": 5}, InitiateError.VERSION_TOO_LOW),
        ({"receive_max": 63}, InitiateError.PDU_SIZE_TOO_SHORT),
        ({"conformance": 0}, InitiateError.INCOMPATIBLE_CONFORMANCE),
        ({"conformance": 0x1C0320 & ~Conformance.GET}, InitiateError.INCOMPATIBLE_CONFORMANCE),
    ],
)
def test_a_proposal_that_leads_nowhere_is_refused(
    changes: dict[str, int], error: InitiateError
) -> None:
    """With a confirmed service error within."""
    response = newcomer(METER).open(**changes)

    assert is_refused(Diagnostic.NO_REASON, response)
    assert ConfirmedServiceError(error) == decode_apdu(response.information)


def test_no_limit_is_the_largest() -> None:
    """A client that says 0 takes what fits into 16 bits."""
    client = newcomer(METER, send_max=0)
    client.open()

    assert uint32(46) == client.value(IMPORT)


def test_a_new_association_replaces_the_old_one() -> None:
    """A client that forgot; a refused one leaves none."""
    client = associated(METER, READER)
    assert Result.ACCEPTED is client.open(Mechanism.LOW, PASSWORD).result
    assert is_refused(Diagnostic.AUTHENTICATION_FAILURE, client.open(Mechanism.LOW, b"no"))
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, IMPORT))


def test_clients_on_one_connection_have_associations_of_their_own() -> None:
    """The public one knows no half-hours, whoever else is there."""
    client = associated(METER, READER)
    other = Asker(client.server, PUBLIC)
    other.open()
    profile = name("1-0:99.1.0", class_id=7)

    assert isinstance(client.get(profile), bytes)
    assert AccessResult.READ_WRITE_DENIED is other.get(profile)
    client.server.drop()
    assert State.NONE is client.server.association(READER)
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, IMPORT))


def test_another_logical_device_does_not_answer() -> None:
    """There is one."""
    client = newcomer(METER)

    assert b"" == client.server.answer(PUBLIC, 2, client.request().to_bytes())


class Locks:
    """Locks out after one failure, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Level]] = []

    def is_locked(self, level: Level) -> bool:
        """After a failure."""
        return ("failed", level) in self.told

    def failed(self, level: Level) -> None:
        """Remember."""
        self.told.append(("failed", level))

    def unproved(self, level: Level) -> None:
        """Remember."""
        self.told.append(("unproved", level))

    def succeeded(self, level: Level) -> None:
        """Remember."""
        self.told.append(("succeeded", level))


def test_failures_lock_a_level_out() -> None:
    """Also for who knows the password, and only that level."""
    gate = Locks()
    client = Asker(DlmsServer(device_of(METER.directory, gate=gate)), READER)
    client.open(Mechanism.LOW, PASSWORD)
    client.open(Mechanism.LOW, b"wrong")
    assert [("succeeded", Level.READER), ("failed", Level.READER)] == gate.told
    assert is_refused(Diagnostic.AUTHENTICATION_FAILURE, client.open(Mechanism.LOW, PASSWORD))
    assert Result.ACCEPTED is Asker(client.server, PUBLIC).open().result


def test_who_has_no_keys_does_not_cipher() -> None:
    """The public is told so, and nobody is locked out for asking."""
    gate = Locks()
    server = DlmsServer(device_of(METER.directory, gate=gate))
    client = Asker(server, PUBLIC, Ciphering.GLOBAL)

    assert is_refused(
        Diagnostic.CONTEXT_NOT_SUPPORTED, decode_apdu(client.send(client.request().to_bytes()))
    )
    assert [] == gate.told


@pytest.mark.parametrize(("form", "told"), [(None, "unproved"), (Ciphering.GLOBAL, "failed")])
def test_a_wrong_proof_of_who_has_the_key_is_a_failure(form: Ciphering | None, told: str) -> None:
    """A right one is a success; who ciphered nothing has shown no key, and locks nobody out."""
    gate = Locks()
    client = Asker(DlmsServer(device_of(METER.directory, gate=gate)), READER, form)
    client.prove(client.open(Mechanism.HIGH_GMAC, CHALLENGE), CHALLENGE)
    response = client.open(Mechanism.HIGH_GMAC, CHALLENGE)
    client.prove(response._replace(challenge=b""), CHALLENGE)
    assert [("succeeded", Level.READER), (told, Level.READER)] == gate.told


@pytest.mark.parametrize("form", [None, Ciphering.GLOBAL])
def test_what_is_not_durable_is_not_said(form: Ciphering | None) -> None:
    """A refusal, no value, and no counter of ours in it; later it works again."""
    failing = False

    def durable() -> None:
        if failing:
            raise CheckpointFailedError("the disk is full")

    device = device_of(METER.directory, durable=durable)
    client = associated(METER, READER, form, device=lambda _: device)
    failing = True
    assert NOT_ALLOWED == client.ask(GetNormal(0xC1, IMPORT))
    if form is None:
        secret: tuple[Mechanism, bytes] = (Mechanism.LOW, PASSWORD)
    else:
        secret = (Mechanism.HIGH_GMAC, CHALLENGE)
    if form is not None:
        assert NOT_ALLOWED == decode_apdu(client.send(client.request(*secret).to_bytes()))
    failing = False
    response = client.open(*secret)
    if form is not None:
        client.prove(response, CHALLENGE)
    assert uint32(46) == client.value(IMPORT)


@pytest.mark.parametrize(
    ("data", "service"),
    [
        ("0600", ServiceError.SERVICE_NOT_SUPPORTED),
        ("", ServiceError.OTHER_REASON),
        ("c0", ServiceError.OTHER_REASON),
        ("c009c1", ServiceError.OTHER_REASON),
        ("c003c184ffffffff", ServiceError.PDU_TOO_LONG),
        ("c4018100", ServiceError.OTHER_REASON),
        ("c5018100", ServiceError.SERVICE_NOT_SUPPORTED),
        ("60", ServiceError.OTHER_REASON),
        ("6003a10100", ServiceError.OTHER_REASON),
    ],
)
def test_nonsense_is_answered_with_an_exception(data: str, service: ServiceError) -> None:
    """Whatever it is; the connection stays."""
    client = associated(METER)
    answer = decode_apdu(client.send(bytes.fromhex(data)))

    assert isinstance(answer, ExceptionResponse)
    assert service is answer.service


def test_the_association_describes_itself() -> None:
    """Partners, context, mechanism, state."""
    client = associated(METER, READER)
    about = [client.value(name("0-0:40.0.0", n, 15)) for n in (3, 4, 5, 6, 8)]

    assert (READER, 1) == tuple(each.value for each in about[0].value)
    assert bytes.fromhex("60857405080101") == about[1].value
    assert f"{int(OFFERED):024b}" == about[2].value[0].value
    assert bytes.fromhex("60857405080201") == about[3].value
    assert enum(2) == about[4]
    assert TITLE == client.value(name("0-0:43.0.0", 5, 64)).value
    assert b"HHY0000000000001" == client.value(name("0-0:41.0.0", 2, 17)).value[0].value[1].value


def test_mistakes_of_a_configuration_are_refused() -> None:
    """Before anybody can associate."""
    for rule in (
        {"sap": 0, "is_open": True},
        {"sap": 128, "is_open": True},
        {"sap": 5},
        {"sap": 5, "password": bytes(65)},
        {"sap": 5, "keys": Keys(b"", b"")},
        {"sap": 5, "password": b"x", "must_cipher": True},
    ):
        with pytest.raises(ConfigError):
            ClientRule(level=Level.READER, **rule)
    for changes in ({"title": b"HHY"}, {"clients": (public_client(), public_client())}):
        with pytest.raises(ConfigError):
            device_of(METER.directory, **changes)
    assert isinstance(device_of(METER.directory), LogicalDevice)
    assert management_client(KEYS).must_cipher
