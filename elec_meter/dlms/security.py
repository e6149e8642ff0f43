"""The security setup, class 64 version 0: a stronger policy, and other keys (IEC 62056-6-2, 4.4.7).

New keys come wrapped with the master key (RFC 3394). They are those of every client that had the
same key before, and of every association from then on; one that is open keeps those it began with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from elec_meter.dlms.action import ActionOutcome
from elec_meter.dlms.ciphering import KEY_SIZE, Protection
from elec_meter.dlms.clients import ClientRule
from elec_meter.dlms.data import CosemData, encode_data, enum, octets
from elec_meter.dlms.device import LogicalDevice
from elec_meter.dlms.keyring import KeyId, Secret
from elec_meter.dlms.opening import Agreed
from elec_meter.dlms.policy import Level
from elec_meter.dlms.services import ActionResult
from elec_meter.dlms.tags import Tag
from elec_meter.dlms.view import OwnObject
from elec_meter.errors import CheckpointFailedError, StorageError

SECURITY_ACTIVATE: Final = 1
KEY_TRANSFER: Final = 2

_SECURITY_SETUP: Final = 64
_SUITE_0: Final = 0
_POLICIES: Final = (
    Protection.NONE,
    Protection.AUTHENTICATED,
    Protection.ENCRYPTED,
    Protection.BOTH,
)
_REFUSED: Final = ActionOutcome(ActionResult.OTHER_REASON)
_NO_TYPE: Final = ActionOutcome(ActionResult.TYPE_UNMATCHED)


class _Rejected(Exception):  # noqa: N818 - an outcome on its way, not an error that anybody sees
    """A method ends so."""

    def __init__(self, outcome: ActionOutcome) -> None:
        super().__init__(outcome.result.name)
        self.outcome = outcome


class SecuritySetup:
    """What an association with keys may do to its own security.

    Args:
        device: the meter.
        agreed: what client and meter agreed on.
    """

    def __init__(self, device: LogicalDevice, agreed: Agreed) -> None:
        self._device = device
        self._agreed = agreed

    def object(self) -> OwnObject:
        """The object; only a client of level 3 that has to encrypt everything may invoke it."""
        agreed = self._agreed
        readers = {
            2: lambda: encode_data(enum(_POLICIES.index(agreed.rule.protection))),
            3: lambda: encode_data(enum(_SUITE_0)),
            4: lambda: encode_data(octets(agreed.cipherer.title)),
            5: lambda: encode_data(octets(self._device.title)),
        }
        rule = agreed.rule
        may_change = (
            rule.level >= Level.SUPPLIER and rule.must_cipher and Protection.BOTH in rule.protection
        )
        return OwnObject(
            _SECURITY_SETUP,
            readers,
            {
                SECURITY_ACTIVATE: self._activate if may_change else None,
                KEY_TRANSFER: self._transfer if may_change and rule.master else None,
            },
        )

    def _activate(self, value: CosemData | None) -> ActionOutcome:
        """Ask for more protection from now on; less is refused."""
        number = value.value if value is not None and value.tag is Tag.ENUM else None
        if not isinstance(number, int):
            return _NO_TYPE
        if number >= len(_POLICIES):
            return _REFUSED
        policy, changed = _POLICIES[number], {}
        for given, secret in self._sharing():
            if secret.must_cipher and secret.protection & policy != secret.protection:
                return _REFUSED
            stronger = secret.protection | policy
            changed[given] = secret._replace(protection=stronger, must_cipher=True)
        return self._change(changed, f"security policy {number} was put in force")

    def _transfer(self, value: CosemData | None) -> ActionOutcome:
        """Take wrapped keys: all of them, or none."""
        try:
            keys = self._unwrapped(value)
        except _Rejected as rejected:
            return rejected.outcome
        changed = {given: _with(secret, keys) for given, secret in self._sharing()}
        names = " and ".join(each.name.lower() for each in sorted(keys))
        return self._change(changed, f"DLMS keys were changed: {names}")

    def _sharing(self) -> Iterator[tuple[ClientRule, Secret]]:
        """Every client that has this one's encryption key now, by the rule that it was given."""
        device, keys = self._device, self._agreed.rule.keys
        assert keys is not None
        for given in device.clients:
            rule = device.keyring.of(given)
            if rule.keys is not None and rule.keys.encryption == keys.encryption:
                yield given, Secret.of(rule)

    def _unwrapped(self, value: CosemData | None) -> dict[KeyId, bytes]:
        items = _parts(value, Tag.ARRAY)
        keys: dict[KeyId, bytes] = {}
        for item in items:
            parts = _parts(item, Tag.STRUCTURE)
            if len(parts) != 2:
                raise _Rejected(_NO_TYPE)
            number, wrapped = parts[0].value, parts[1].value
            if not isinstance(number, int) or not isinstance(wrapped, bytes):
                raise _Rejected(_NO_TYPE)
            if number not in set(KeyId) or number in keys:
                raise _Rejected(_REFUSED)
            keys[KeyId(number)] = self._key(wrapped)
        fresh = keys.get(KeyId.ENCRYPTION)
        # A key that came back would bring back the numbers that were used with it.
        if not keys or (fresh is not None and self._device.counters.is_known(fresh)):
            raise _Rejected(_REFUSED)
        return keys

    def _key(self, wrapped: bytes) -> bytes:
        try:
            key = aes_key_unwrap(self._agreed.rule.master, wrapped)
        except (InvalidUnwrap, ValueError):
            raise _Rejected(_REFUSED) from None
        if len(key) != KEY_SIZE:
            raise _Rejected(_REFUSED)
        return key

    def _change(self, changed: dict[ClientRule, Secret], sentence: str) -> ActionOutcome:
        device, changed_from = self._device, [secret for _, secret in self._sharing()]
        if Secret.of(self._agreed.rule) not in changed_from:
            # Another association changed them meanwhile: this one's word is not the last.
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        try:
            device.keyring.change(changed)
        except StorageError:
            return ActionOutcome(ActionResult.TEMPORARY_FAILURE)
        device.record(sentence)
        # The keys are in force and durable: whoever is told otherwise would be locked out.
        with suppress(CheckpointFailedError):
            device.durable()
        return ActionOutcome(ActionResult.SUCCESS)


def _with(secret: Secret, keys: dict[KeyId, bytes]) -> Secret:
    encryption = keys.get(KeyId.ENCRYPTION, secret.keys.encryption)
    authentication = keys.get(KeyId.AUTHENTICATION, secret.keys.authentication)
    master = keys.get(KeyId.MASTER, secret.master)
    return secret._replace(
        keys=secret.keys._replace(encryption=encryption, authentication=authentication),
        master=master,
    )


def _parts(data: CosemData | None, tag: Tag) -> tuple[CosemData, ...]:
    if data is None or data.tag is not tag or not isinstance(data.value, tuple):
        raise _Rejected(_NO_TYPE)
    return data.value
