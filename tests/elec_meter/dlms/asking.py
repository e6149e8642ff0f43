"""A meter with DLMS, and the client's side in our own codec: what is asked, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from elec_meter.dlms import (
    DlmsPort,
    DlmsServer,
    InvocationCounters,
    Keys,
    LogicalDevice,
    Protection,
    management_client,
    public_client,
    reader_client,
)
from elec_meter.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    Context,
    Diagnostic,
    Mechanism,
    ReleaseRequest,
    Result,
)
from elec_meter.dlms.action import ActionNormal, ActionResponse
from elec_meter.dlms.apdus import Apdu, decode_apdu
from elec_meter.dlms.ciphering import Ciphering, decode_ciphered, is_ciphered, prove, seal, unseal
from elec_meter.dlms.data import (
    NULL,
    CosemData,
    array,
    decode_data,
    int8,
    octets,
    structure,
    uint16,
    uint32,
)
from elec_meter.dlms.get import GetBlock, GetNext, GetNormal, GetResponse
from elec_meter.dlms.initiate import InitiateRequest, InitiateResponse
from elec_meter.dlms.instants import encode_date_time
from elec_meter.dlms.services import AccessResult, Attribute, Member, Selection
from elec_meter.objects import CosemObject, Directory, EventRow
from shared.obis import Obis
from shared.timegrid import unix_s
from tests.elec_meter.objects.fixed_meter import START, FixedMeter

TITLE = bytes.fromhex("4848590000000001")
CLIENT_TITLE = b"HES\x00\x00\x00\x00\x01"
KEYS = Keys(
    bytes.fromhex("000102030405060708090A0B0C0D0E0F"),
    bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"),
)
PASSWORD = b"halfhourly"
PUBLIC, READER, MANAGEMENT = 16, 32, 1
EVERYTHING = 0xFFFFFF
HALF_HOUR = timedelta(minutes=30)
CLOCK = structure(uint16(8), octets(Obis.parse("0-0:1.0.0").to_bytes()), int8(2), uint16(0))
HLS = Member(15, Obis.parse("0-0:40.0.0"), 1)


def lived_in(rows: int = 48, *, reactive: bool = True) -> FixedMeter:
    """A meter with so many closed half-hours: 10, 11, 12 ... Wh, and three pulses of gas each."""
    meter = FixedMeter()
    meter.config = msgspec.structs.replace(
        meter.config, profile=msgspec.structs.replace(meter.config.profile, reactive=reactive)
    )
    meter.__post_init__()
    meter.pulses.paired_s = unix_s(START)
    for n in range(rows):
        end = START + (n + 1) * HALF_HOUR
        meter.book("import", 10 + n, START + n * HALF_HOUR)
        meter.pulses.add(3)
        meter.ledger.close_through(unix_s(end))
        meter.ledger.book_pulses()
        meter.now = end + timedelta(seconds=10)
    meter.events.append(EventRow(unix_s(START), 7, "power came back"))
    return meter


def device_of(directory: Directory, **changes: object) -> LogicalDevice:
    """The demo's device over a directory; chance is not random."""
    given = {
        "directory": directory,
        "title": TITLE,
        "clients": (public_client(), reader_client(PASSWORD, KEYS), management_client(KEYS)),
        "counters": InvocationCounters(),
        "durable": lambda: None,
        "random_bytes": lambda count: bytes(range(count)),
    }
    return LogicalDevice(**{**given, **changes})


def port_of(meter: FixedMeter, **changes: object) -> DlmsPort:
    """A port over a fixed meter."""
    return DlmsPort(device_of(meter.directory, **changes))


def name(code: str | CosemObject, number: int = 2, class_id: int = 3) -> Attribute:
    """An attribute; of an object its class is known."""
    if isinstance(code, CosemObject):
        return Attribute(Member(code.class_id, code.obis, number))
    return Attribute(Member(class_id, Obis.parse(code), number))


def by_range(start: datetime | None, end: datetime | None, *columns: CosemData) -> Selection:
    """Selective access by range of the clock."""
    bounds = (NULL if each is None else octets(encode_date_time(each)) for each in (start, end))
    return Selection(1, structure(CLOCK, *bounds, array(*columns)))


def by_entry(first: int, last: int, from_column: int = 1, to_column: int = 0) -> Selection:
    """Selective access by entry."""
    numbers = (uint32(first), uint32(last), uint16(from_column), uint16(to_column))
    return Selection(2, structure(*numbers))


@dataclass
class Asker:
    """A client of one server, its wishes, and what was agreed."""

    server: DlmsServer
    sap: int = PUBLIC
    form: Ciphering | None = None
    protection: Protection = Protection.BOTH
    keys: Keys = KEYS
    title: bytes = CLIENT_TITLE
    counter: int = 1
    send_max: int = 0xFFFF
    dedicated: bytes = b""
    longest: int = 0
    agreed: InitiateResponse | None = None
    answers: list[bytes] = field(default_factory=list)

    def send(self, data: bytes) -> bytes:
        """Bytes of an APDU, and of its answer."""
        answer = self.server.answer(self.sap, 1, data)
        self.answers.append(answer)
        self.longest = max(self.longest, len(answer))
        return answer

    def sealed(self, apdu: bytes, form: Ciphering | None = None) -> bytes:
        """An APDU as it is sent."""
        form = form or self.form
        if form is None:
            return apdu
        self.counter += 1
        keys = self.keys
        if form.is_dedicated:
            keys = keys._replace(encryption=self.dedicated)
        return seal(apdu, form, self.protection, keys, self.title, self.counter - 1)

    def opened(self, data: bytes) -> bytes:
        """An answer in clear; it is in the form of the request."""
        if not is_ciphered(data[0]):
            return data
        ciphered = decode_ciphered(data)
        assert self.protection is ciphered.protection
        keys = self.keys
        if ciphered.form.is_dedicated:
            keys = keys._replace(encryption=self.dedicated)
        assert TITLE == ciphered.title or not ciphered.form.is_general
        return unseal(ciphered, keys, TITLE)

    def ask(self, apdu: Apdu) -> Apdu:
        """A request, and its answer."""
        return decode_apdu(self.opened(self.send(self.sealed(apdu.to_bytes()))))

    def request(
        self,
        mechanism: Mechanism | None = None,
        secret: bytes = b"",
        conformance: int = EVERYTHING,
        **changes: object,
    ) -> AssociationRequest:
        """An AARQ."""
        initiate = InitiateRequest(conformance, self.send_max, self.dedicated)
        information = initiate._replace(**changes).to_bytes()
        if self.form is not None:
            information = self.sealed(information, Ciphering.GLOBAL)
        context = Context.PLAIN if self.form is None else Context.CIPHERED
        keyed = self.form is not None or mechanism is Mechanism.HIGH_GMAC
        title = self.title if keyed else b""
        return AssociationRequest(context, information, mechanism, secret, title)

    def open(self, *args: object, **changes: object) -> AssociationResponse:
        """Send an AARQ; its AARE."""
        answer = decode_apdu(self.send(self.request(*args, **changes).to_bytes()))
        assert isinstance(answer, AssociationResponse)
        if answer.information:
            agreed = decode_apdu(self.opened(answer.information))
            if isinstance(agreed, InitiateResponse):
                self.agreed = agreed
        return answer

    def prove(self, response: AssociationResponse, challenge: bytes) -> ActionResponse:
        """Answer the meter's challenge; its answer to ours."""
        proof = prove(response.challenge, self.keys, self.title, self.counter)
        self.counter += 1
        answer = self.ask(ActionNormal(0xC1, HLS, octets(proof)))
        assert isinstance(answer, ActionResponse)
        return answer

    def get(self, attribute: Attribute) -> bytes | AccessResult:
        """An attribute, put together from blocks."""
        answer = self.ask(GetNormal(0xC1, attribute))
        if isinstance(answer, GetResponse):
            return answer.result
        raw = b""
        while isinstance(answer, GetBlock):
            if isinstance(answer.raw, AccessResult):
                return answer.raw
            raw += answer.raw
            if answer.is_last:
                return raw
            answer = self.ask(GetNext(0xC1, answer.number))
        raise AssertionError(answer)

    def value(self, attribute: Attribute) -> CosemData:
        """An attribute that is there."""
        found = self.get(attribute)
        assert isinstance(found, bytes), found
        return decode_data(found)

    def release(self) -> Apdu:
        """RLRQ; its answer."""
        information = b""
        if self.form is not None:
            information = self.sealed(InitiateRequest(EVERYTHING, 0).to_bytes(), Ciphering.GLOBAL)
        return decode_apdu(self.send(ReleaseRequest(0, information).to_bytes()))


def newcomer(
    meter: FixedMeter, sap: int = PUBLIC, form: Ciphering | None = None, **wishes: object
) -> Asker:
    """A client that has said nothing yet, of a meter that has heard nothing yet."""
    return Asker(DlmsServer(device_of(meter.directory)), sap, form, **wishes)


def is_refused(diagnostic: Diagnostic, response: AssociationResponse) -> bool:
    """Whether an association was refused, and for this reason."""
    return (Result.REJECTED_PERMANENT, diagnostic) == (response.result, response.diagnostic)


def associated(
    meter: FixedMeter,
    sap: int = PUBLIC,
    form: Ciphering | None = None,
    *,
    device: Callable[..., LogicalDevice] = device_of,
    **wishes: object,
) -> Asker:
    """A client with an association: open, by password, or by key where a form is given."""
    asker = Asker(DlmsServer(device(meter.directory)), sap, form, **wishes)
    if form is not None:
        challenge = bytes(range(100, 116))
        proved = asker.prove(asker.open(Mechanism.HIGH_GMAC, challenge), challenge)
        assert not proved.outcome.result
    elif sap == READER:
        asker.open(Mechanism.LOW, PASSWORD)
    else:
        asker.open()
    assert asker.agreed is not None
    return asker
