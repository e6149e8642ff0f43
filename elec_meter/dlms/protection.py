"""The ciphering of one association: which keys, whose counters, and answers in kind."""

from __future__ import annotations

from typing import NamedTuple

from elec_meter.dlms.ciphering import (
    TITLE_SIZE,
    Ciphered,
    Ciphering,
    Keys,
    Protection,
    decode_ciphered,
    is_ciphered,
    overhead,
    proof_counter,
    prove,
    seal,
    unseal,
)
from elec_meter.dlms.clients import ClientRule
from elec_meter.dlms.counters import InvocationCounters
from elec_meter.dlms.device import LogicalDevice
from elec_meter.dlms.errors import CipheringError, EncodingError, ReplayError


class Wrapping(NamedTuple):
    """How a request was ciphered, and so how its answer shall be.

    Attributes:
        form: how it looked.
        protection: what was done to it.
        lowest: the lowest counter that would have been taken.
        counter: that of the answer, used up already.
    """

    form: Ciphering
    protection: Protection
    lowest: int
    counter: int


class Cipherer:
    """Opens the requests of one client, and closes the answers to it.

    Args:
        device: its title and counters are the meter's.
        rule: whose keys they are.
        title: the client's.
    """

    def __init__(self, device: LogicalDevice, rule: ClientRule, title: bytes) -> None:
        self._device = device
        self._rule = rule
        self._title = title
        self._dedicated: Keys | None = None
        self._dedicated_counters = InvocationCounters()

    @property
    def title(self) -> bytes:
        """The client's system title; empty if it gave none."""
        return self._title

    def dedicate(self, key: bytes) -> None:
        """Take a key for this association alone; its counters begin with it.

        Raises:
            CipheringError: it is none of suite 0.
        """
        keys = self._global()
        if len(key) != len(keys.encryption) or key == keys.encryption:
            raise CipheringError("this is no dedicated key")
        self._dedicated = keys._replace(encryption=key)
        self._dedicated_counters = InvocationCounters()

    def open(self, data: bytes) -> tuple[bytes, Wrapping | None]:
        """An APDU in clear, and how it was ciphered; None if it was not.

        Raises:
            CipheringError: its protection does not hold, or is less than is asked for.
            ReplayError: its counter does not rise.
            PeerError: it is no ciphered APDU that the meter knows.
        """
        if not data or not is_ciphered(data[0]):
            return data, None
        ciphered = decode_ciphered(data)
        keys, counters = self._keys(ciphered.form)
        if self._rule.protection & ciphered.protection != self._rule.protection:
            raise CipheringError("less protection than is asked for")
        if ciphered.title not in (b"", self._title):
            raise CipheringError("another sender than the one that associated")
        lowest = counters.lowest(keys, self._title)
        plain = self._unsealed(ciphered, keys, counters)
        counter = counters.next_sent(keys)
        return plain, Wrapping(ciphered.form, ciphered.protection, lowest, counter)

    def close(self, apdu: bytes, wrapping: Wrapping | None) -> bytes:
        """An answer in the form of its request; errors that have no such form stay in clear."""
        if wrapping is None:
            return apdu
        keys, _ = self._keys(wrapping.form)
        try:
            return seal(
                apdu,
                wrapping.form,
                wrapping.protection,
                keys,
                self._device.title,
                wrapping.counter,
            )
        except EncodingError:
            return apdu

    def room(self, receive_max: int, wrapping: Wrapping | None) -> int:
        """Bytes of an answer in clear that is no longer than `receive_max` once it is closed."""
        if wrapping is None:
            return receive_max
        return receive_max - overhead(wrapping.form, wrapping.protection, receive_max)

    def accept_proof(self, proof: bytes, challenge: bytes, wrapping: Wrapping | None) -> None:
        """Check the client's answer to the meter's challenge.

        It was made before the request that carries it was ciphered: its counter may be lower than
        that of the request, or, with some clients, the same.

        Raises:
            CipheringError: it is wrong.
            ReplayError: its counter was heard before the request.
        """
        keys, counters = self._global(), self._device.counters
        counter = proof_counter(proof, challenge, keys, self._title)
        if wrapping is None or wrapping.form.is_dedicated:
            counters.heard(keys, self._title, counter)
        elif counter < wrapping.lowest:
            raise ReplayError(wrapping.lowest)
        elif counter >= counters.lowest(keys, self._title):
            counters.heard(keys, self._title, counter)

    def prove(self, challenge: bytes) -> bytes:
        """The meter's answer to the client's challenge."""
        keys = self._global()
        return prove(challenge, keys, self._device.title, self._device.counters.next_sent(keys))

    def _unsealed(self, ciphered: Ciphered, keys: Keys, counters: InvocationCounters) -> bytes:
        counters.require(keys, self._title, ciphered.counter)
        plain = unseal(ciphered, keys, self._title)
        if Protection.AUTHENTICATED in ciphered.protection:
            # Nothing that anybody could have made moves a counter.
            counters.heard(keys, self._title, ciphered.counter)
        return plain

    def _global(self) -> Keys:
        if self._rule.keys is None or len(self._title) != TITLE_SIZE:
            raise CipheringError("there is no key for this client, or it gave no title")
        return self._rule.keys

    def _keys(self, form: Ciphering) -> tuple[Keys, InvocationCounters]:
        if not form.is_dedicated:
            return self._global(), self._device.counters
        if self._dedicated is None:
            raise CipheringError("no dedicated key was agreed on")
        return self._dedicated, self._dedicated_counters
