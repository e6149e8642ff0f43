"""What an AARQ asks for, and whether it gets it (IEC 62056-5-3, 9.4.1)."""

from __future__ import annotations

from hmac import compare_digest
from typing import Final, NamedTuple

from elec_meter.dlms.acse import (
    CHALLENGE_MAX,
    AssociationRequest,
    Context,
    Diagnostic,
    Mechanism,
)
from elec_meter.dlms.apdus import decode_apdu
from elec_meter.dlms.ciphering import TITLE_SIZE
from elec_meter.dlms.clients import ClientRule
from elec_meter.dlms.device import OFFERED, LogicalDevice
from elec_meter.dlms.errors import CipheringError, MalformedError, PeerError, ReplayError
from elec_meter.dlms.initiate import PDU_MAX, PDU_MIN, VERSION, Conformance, InitiateRequest
from elec_meter.dlms.notices import InitiateError
from elec_meter.dlms.protection import Cipherer, Wrapping

CHALLENGE_MIN: Final = 8
"""Bytes of a challenge (IEC 62056-5-3, 5.2)."""


class Agreed(NamedTuple):
    """What client and meter agreed on.

    Attributes:
        rule: what the client has to do.
        context: whether APDUs are ciphered.
        mechanism: how the client proves who it is.
        conformance: services that both know.
        send_max: bytes of an APDU that the client takes.
        cipherer: opens and closes APDUs.
        challenge: the client's; empty but with high level security.
        wrapping: how the InitiateRequest was ciphered.
    """

    rule: ClientRule
    context: Context
    mechanism: Mechanism
    conformance: Conformance
    send_max: int
    cipherer: Cipherer
    challenge: bytes = b""
    wrapping: Wrapping | None = None


class AssociationRefusedError(PeerError):
    """A client may not associate as it asks to.

    Example scenarios: a wrong password; no key where one is demanded; a window of ten bytes.

    Args:
        diagnostic: why.
        initiate: what is wrong with the InitiateRequest, if that is it.
    """

    def __init__(self, diagnostic: Diagnostic, initiate: InitiateError | None = None) -> None:
        super().__init__(f"association refused: {(initiate or diagnostic).name}")
        self.diagnostic = diagnostic
        self.initiate = initiate


def agree(request: AssociationRequest, device: LogicalDevice, rule: ClientRule | None) -> Agreed:
    """What comes of a request.

    Raises:
        AssociationRefusedError: nothing.
        ReplayError: it was heard before.
        MalformedError: its InitiateRequest is none.
        CheckpointFailedError: that it failed could not be made durable.
    """
    context = _context(request)
    mechanism = _mechanism(request)
    if rule is None or not _is_offered(mechanism, rule):
        raise AssociationRefusedError(
            Diagnostic.MECHANISM_REQUIRED
            if mechanism is Mechanism.LOWEST
            else Diagnostic.AUTHENTICATION_FAILURE
        )
    is_ciphered = context is Context.CIPHERED
    if (rule.must_cipher and not is_ciphered) or (rule.keys is None and is_ciphered):
        raise AssociationRefusedError(Diagnostic.CONTEXT_NOT_SUPPORTED)
    is_keyed = is_ciphered or mechanism is Mechanism.HIGH_GMAC
    if is_keyed and not _is_title(request.title, device, rule):
        raise AssociationRefusedError(Diagnostic.CALLING_TITLE_NOT_RECOGNISED)
    if device.gate.is_locked(rule.level):
        raise AssociationRefusedError(Diagnostic.AUTHENTICATION_FAILURE)
    cipherer = Cipherer(device, rule, request.title)
    try:
        proposed, wrapping = _proposed(request, context, cipherer)
    except ReplayError:
        raise
    except CipheringError:
        # Whoever has no key could otherwise lock out those who have it.
        device.gate.unproved(rule.level)
        raise AssociationRefusedError(Diagnostic.AUTHENTICATION_FAILURE) from None
    _require_secret(request, mechanism, device, rule)
    conformance = _conformance(proposed)
    if mechanism is not Mechanism.HIGH_GMAC:
        device.gate.succeeded(rule.level)
    return Agreed(
        rule,
        context,
        mechanism,
        conformance,
        proposed.receive_max or PDU_MAX,
        cipherer,
        request.secret if mechanism is Mechanism.HIGH_GMAC else b"",
        wrapping,
    )


def _is_title(title: bytes, device: LogicalDevice, rule: ClientRule) -> bool:
    """Whether somebody of this system title may use the client's keys."""
    if rule.title:
        return title == rule.title
    return len(title) == TITLE_SIZE and title != device.title


def _context(request: AssociationRequest) -> Context:
    try:
        return Context(request.context)
    except ValueError:
        raise AssociationRefusedError(Diagnostic.CONTEXT_NOT_SUPPORTED) from None


def _mechanism(request: AssociationRequest) -> Mechanism:
    try:
        return Mechanism(request.mechanism or 0)
    except ValueError:
        raise AssociationRefusedError(Diagnostic.MECHANISM_NOT_RECOGNISED) from None


def _is_offered(mechanism: Mechanism, rule: ClientRule) -> bool:
    match mechanism:
        case Mechanism.LOWEST:
            return rule.is_open
        case Mechanism.LOW:
            return bool(rule.password)
        case Mechanism.HIGH_GMAC:
            return rule.keys is not None


def _proposed(
    request: AssociationRequest, context: Context, cipherer: Cipherer
) -> tuple[InitiateRequest, Wrapping | None]:
    """The InitiateRequest, ciphered if and only if the context is."""
    data, wrapping = request.information, None
    if context is Context.CIPHERED:
        data, wrapping = cipherer.open(data)
        if wrapping is None:
            raise CipheringError("the InitiateRequest is in clear")
    proposed = decode_apdu(data)
    if not isinstance(proposed, InitiateRequest):
        raise MalformedError("there is no InitiateRequest in the AARQ")
    if proposed.dedicated_key and wrapping is not None:
        cipherer.dedicate(proposed.dedicated_key)
    return proposed, wrapping


def _require_secret(
    request: AssociationRequest, mechanism: Mechanism, device: LogicalDevice, rule: ClientRule
) -> None:
    """Refuse a wrong password, which is counted, and what is no challenge."""
    if mechanism is Mechanism.LOW and not compare_digest(request.secret, rule.password):
        device.gate.failed(rule.level)
        device.durable()
        raise AssociationRefusedError(Diagnostic.AUTHENTICATION_FAILURE)
    length = len(request.secret)
    if mechanism is Mechanism.HIGH_GMAC and not CHALLENGE_MIN <= length <= CHALLENGE_MAX:
        raise AssociationRefusedError(Diagnostic.AUTHENTICATION_FAILURE)


def _conformance(proposed: InitiateRequest) -> Conformance:
    error = None
    if proposed.version < VERSION:
        error = InitiateError.VERSION_TOO_LOW
    elif 0 < proposed.receive_max < PDU_MIN:
        error = InitiateError.PDU_SIZE_TOO_SHORT
    elif not proposed.conformance & Conformance.GET:
        error = InitiateError.INCOMPATIBLE_CONFORMANCE
    if error is not None:
        raise AssociationRefusedError(Diagnostic.NO_REASON, error)
    return OFFERED & Conformance(proposed.conformance & int(OFFERED))
