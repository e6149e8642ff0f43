"""One association with one client: opened, proved, served, released (IEC 62056-5-3, 4.5, 9.3)."""

from __future__ import annotations

from typing import Final

from elec_meter.dlms import acse
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
from elec_meter.dlms.action import ActionNormal, ActionOutcome, ActionRequest, ActionResponse
from elec_meter.dlms.apdus import Apdu, decode_apdu
from elec_meter.dlms.blocks import Acting, Getting, Setting
from elec_meter.dlms.ciphering import COUNTER_MAX, is_ciphered
from elec_meter.dlms.data import encode_data, octets
from elec_meter.dlms.device import LogicalDevice
from elec_meter.dlms.errors import (
    CipheringError,
    CountersSpentError,
    NotSupportedError,
    PeerError,
    ReplayError,
    TooLargeError,
)
from elec_meter.dlms.get import GetNext, GetRequest
from elec_meter.dlms.initiate import InitiateResponse
from elec_meter.dlms.listing import (
    ASSOCIATION_CLASS,
    CURRENT_ASSOCIATION,
    REPLY_TO_HLS,
    own_objects,
)
from elec_meter.dlms.needs import needed_for
from elec_meter.dlms.notices import (
    ConfirmedServiceError,
    ExceptionResponse,
    ServiceError,
    StateError,
)
from elec_meter.dlms.opening import Agreed, AssociationRefusedError, agree
from elec_meter.dlms.protection import Wrapping
from elec_meter.dlms.services import ActionResult, Member
from elec_meter.dlms.setting import SetRequest
from elec_meter.dlms.states import Event, State, next_state
from elec_meter.dlms.view import View
from elec_meter.errors import CheckpointFailedError

CHALLENGE_SIZE: Final = 16
"""Bytes of the meter's challenges."""

_RELEASED: Final = 0
_HLS: Final = Member(ASSOCIATION_CLASS, CURRENT_ASSOCIATION, REPLY_TO_HLS)
_NOT_ALLOWED: Final = ExceptionResponse(
    StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE
)


class _Services:
    """What an accepted association works with."""

    def __init__(self, device: LogicalDevice, agreed: Agreed, association: Association) -> None:
        own = own_objects(device, agreed, lambda: association.state, lambda: self.view)
        self.view = View(device.directory, own, agreed.rule.level, device.changes)
        self.agreed = agreed
        self.getting = Getting(self.view, agreed.conformance)
        self.setting = Setting(self.view)
        self.acting = Acting(self.view)
        self.challenge = b""


class Association:
    """The meter's side of what one client says. Any APDU is answered; none raises.

    Args:
        device: the meter.
        sap: the client's service access point.
    """

    def __init__(self, device: LogicalDevice, sap: int) -> None:
        self._device = device
        self._sap = sap
        self._state = State.NONE
        self._services: _Services | None = None

    @property
    def state(self) -> State:
        """Where the association is."""
        return self._state

    def answer(self, data: bytes) -> bytes:
        """The answer to an APDU; values are those of the directory's now."""
        try:
            return self._answer(data)
        except PeerError as error:
            return exception(error).to_bytes()
        except CountersSpentError:
            return _NOT_ALLOWED.to_bytes()
        except CheckpointFailedError:
            # Nothing that is not durable is said, a counter of an answer among it.
            return _NOT_ALLOWED.to_bytes()

    def drop(self) -> None:
        """The connection is gone."""
        self._enter(Event.LOST)

    def _answer(self, data: bytes) -> bytes:
        tag = data[0] if data else -1
        if tag == acse.AARQ:
            return self._open(data)
        if tag == acse.RLRQ:
            return self._release(data)
        services = self._services
        if services is None:
            return _NOT_ALLOWED.to_bytes()
        cipherer, is_ciphering = services.agreed.cipherer, tag >= 0 and is_ciphered(tag)
        if is_ciphering is not (services.agreed.context is Context.CIPHERED):
            raise CipheringError("in clear where it should be ciphered, or the other way round")
        plain, wrapping = cipherer.open(data)
        apdu: Apdu | PeerError
        try:
            apdu = decode_apdu(plain)
        except PeerError as error:
            apdu = error
        if wrapping is not None or not isinstance(apdu, GetNext):
            self._device.durable()
        try:
            reply = self._serve(services, apdu, wrapping)
        except NotSupportedError as error:
            reply = exception(error).to_bytes()
        return cipherer.close(reply, wrapping)

    def _open(self, data: bytes) -> bytes:
        self._enter(Event.REFUSED)
        request = decode_apdu(data)
        assert isinstance(request, AssociationRequest)
        try:
            agreed = agree(request, self._device, self._device.rule(self._sap))
        except AssociationRefusedError as refused:
            return _refusal(request, refused).to_bytes()
        services = _Services(self._device, agreed, self)
        is_pending = agreed.mechanism is Mechanism.HIGH_GMAC
        if is_pending:
            services.challenge = self._device.random_bytes(CHALLENGE_SIZE)
        if agreed.wrapping is not None or agreed.mechanism is not Mechanism.LOWEST:
            self._device.durable()
        self._enter(Event.CHALLENGED if is_pending else Event.ACCEPTED, services)
        response = InitiateResponse(int(agreed.conformance), self._device.receive_max)
        is_keyed = is_pending or agreed.context is Context.CIPHERED
        return AssociationResponse(
            agreed.context,
            Result.ACCEPTED,
            Diagnostic.AUTHENTICATION_REQUIRED if is_pending else Diagnostic.NULL,
            agreed.cipherer.close(response.to_bytes(), agreed.wrapping),
            agreed.mechanism if is_pending else None,
            services.challenge,
            self._device.title if is_keyed else b"",
        ).to_bytes()

    def _release(self, data: bytes) -> bytes:
        request = decode_apdu(data)
        assert isinstance(request, ReleaseRequest)
        information, services = b"", self._services
        if services is not None and services.agreed.context is Context.CIPHERED:
            information = self._released(request, services)
        self._enter(Event.RELEASED)
        return ReleaseResponse(_RELEASED, information).to_bytes()

    def _released(self, request: ReleaseRequest, services: _Services) -> bytes:
        """The ciphered InitiateResponse that a ciphered InitiateRequest is released with."""
        agreed = services.agreed
        if not request.information:
            return b""
        _, wrapping = agreed.cipherer.open(request.information)
        if wrapping is None:
            raise CipheringError("the InitiateRequest is in clear")
        self._device.durable()
        response = InitiateResponse(int(agreed.conformance), self._device.receive_max)
        return agreed.cipherer.close(response.to_bytes(), wrapping)

    def _serve(
        self, services: _Services, apdu: Apdu | PeerError, wrapping: Wrapping | None
    ) -> bytes:
        """The answer in clear to an APDU in clear."""
        if isinstance(apdu, PeerError):
            return exception(apdu).to_bytes()
        if self._state is State.PENDING:
            if isinstance(apdu, ActionNormal) and apdu.method == _HLS:
                return self._prove(services, apdu, wrapping).to_bytes()
            return _NOT_ALLOWED.to_bytes()
        agreed = services.agreed
        needed = needed_for(apdu)
        if needed & agreed.conformance != needed:
            raise NotSupportedError("this service was not agreed on")
        if isinstance(apdu, GetRequest):
            room = agreed.cipherer.room(agreed.send_max, wrapping)
            return services.getting.respond(apdu, room).to_bytes()
        if isinstance(apdu, SetRequest):
            return services.setting.respond(apdu).to_bytes()
        assert isinstance(apdu, ActionRequest)
        return services.acting.respond(apdu).to_bytes()

    def _prove(
        self, services: _Services, apdu: ActionNormal, wrapping: Wrapping | None
    ) -> ActionResponse:
        """Both sides answer each other's challenge; a client whose answer is wrong is out."""
        agreed, gate = services.agreed, self._device.gate
        proof = b"" if apdu.parameters is None else apdu.parameters.value
        try:
            if not isinstance(proof, bytes):
                raise CipheringError("the answer to the challenge is no octet string")
            agreed.cipherer.accept_proof(proof, services.challenge, wrapping)
        except CipheringError:
            self._enter(Event.NOT_PROVED)
            if wrapping is None:
                gate.unproved(agreed.rule.level)
            else:
                gate.failed(agreed.rule.level)
                self._device.durable()
            return ActionResponse(apdu.invoke, ActionOutcome(ActionResult.READ_WRITE_DENIED))
        answer = agreed.cipherer.prove(agreed.challenge)
        gate.succeeded(agreed.rule.level)
        self._device.durable()
        self._enter(Event.PROVED, services)
        returned = encode_data(octets(answer))
        return ActionResponse(apdu.invoke, ActionOutcome(ActionResult.SUCCESS, returned))

    def _enter(self, event: Event, services: _Services | None = None) -> None:
        self._state = next_state(self._state, event)
        self._services = None if self._state is State.NONE else services


def exception(error: PeerError) -> ExceptionResponse:
    """What an APDU that cannot be served is answered with."""
    match error:
        case ReplayError() if error.lowest > COUNTER_MAX:
            return _NOT_ALLOWED
        case ReplayError():
            return ExceptionResponse(
                StateError.SERVICE_NOT_ALLOWED, ServiceError.INVOCATION_COUNTER_ERROR, error.lowest
            )
        case CipheringError():
            return ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.DECIPHERING_ERROR)
        case NotSupportedError():
            return ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.SERVICE_NOT_SUPPORTED)
        case TooLargeError():
            return ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.PDU_TOO_LONG)
        case _:
            return ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.OTHER_REASON)


def _refusal(request: AssociationRequest, refused: AssociationRefusedError) -> AssociationResponse:
    information = b""
    if refused.initiate is not None:
        information = ConfirmedServiceError(refused.initiate).to_bytes()
    context = request.context
    return AssociationResponse(context, Result.REJECTED_PERMANENT, refused.diagnostic, information)
