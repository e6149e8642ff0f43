from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from elec_meter.dlms import Keyring, Keys, LogicalDevice, management_client, reader_client
from elec_meter.dlms.acse import Mechanism, Result
from elec_meter.dlms.action import ActionNormal
from elec_meter.dlms.ciphering import Ciphering
from elec_meter.dlms.data import NULL, CosemData, array, enum, octets, structure, uint8
from elec_meter.dlms.errors import MalformedError
from elec_meter.dlms.server import DlmsServer
from elec_meter.dlms.services import ActionResult, Member
from elec_meter.errors import ConfigError, StorageError
from shared.obis import Obis
from tests.elec_meter.dlms.asking import (
    KEYS,
    MANAGEMENT,
    PASSWORD,
    READER,
    Asker,
    device_of,
    lived_in,
    name,
)

METER = lived_in(2)
MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
FRESH = Keys(b"E" * 16, b"A" * 16)
CHALLENGE = bytes(range(100, 116))
ACTIVATE, TRANSFER = (Member(64, Obis.parse("0-0:43.0.0"), number) for number in (1, 2))
ENCRYPTION, AUTHENTICATION, MASTER_KEY = 0, 2, 3


def device(**changes: object) -> LogicalDevice:
    """The demo's device, whose keys can be changed."""
    clients = reader_client(PASSWORD, KEYS, MASTER), management_client(KEYS, MASTER)
    return device_of(METER.directory, **{"clients": clients, **changes})


def signed_on(
    of: LogicalDevice, keys: Keys = KEYS, sap: int = MANAGEMENT, counter: int = 100, **more: object
) -> Asker:
    """A new association by key."""
    asker = Asker(DlmsServer(of), sap, Ciphering.GLOBAL, keys=keys, counter=counter, **more)
    response = asker.open(Mechanism.HIGH_GMAC, CHALLENGE)
    assert Result.ACCEPTED is response.result
    assert ActionResult.SUCCESS is asker.prove(response, CHALLENGE).outcome.result
    asker.counter += 100
    return asker


def wrapped(*keys: tuple[int, bytes], master: bytes = MASTER) -> CosemData:
    """The parameters of a key transfer."""
    return array(
        *(structure(enum(number), octets(aes_key_wrap(master, key))) for number, key in keys)
    )


def invoke(asker: Asker, method: Member, value: CosemData) -> ActionResult:
    """How a method ends."""
    return asker.ask(ActionNormal(0xC1, method, value)).outcome.result


def is_let_in(of: LogicalDevice, keys: Keys, sap: int = MANAGEMENT) -> bool:
    """Whether keys open an association."""
    asker = Asker(DlmsServer(of), sap, Ciphering.GLOBAL, keys=keys, counter=5_000)
    return asker.open(Mechanism.HIGH_GMAC, CHALLENGE).result is Result.ACCEPTED


def test_new_keys_are_those_of_the_next_association() -> None:
    """The one that is open goes on; its client's colleague has the new ones, too."""
    meter = device()
    asker = signed_on(meter)
    keys = wrapped((ENCRYPTION, FRESH.encryption), (AUTHENTICATION, FRESH.authentication))
    assert ActionResult.SUCCESS is invoke(asker, TRANSFER, keys)

    assert isinstance(asker.get(name("1-0:1.8.0")), bytes)
    assert not is_let_in(meter, KEYS)
    assert isinstance(signed_on(meter, FRESH).get(name("1-0:1.8.0")), bytes)
    assert is_let_in(meter, FRESH, READER)


def test_counters_begin_again_with_an_encryption_key_alone() -> None:
    """Another authentication key leaves them as they are: the nonces are the same key's."""
    meter, counter = device(), name("0-0:43.1.0", class_id=1)
    only_authentication = wrapped((AUTHENTICATION, FRESH.authentication))
    assert ActionResult.SUCCESS is invoke(signed_on(meter), TRANSFER, only_authentication)
    half = KEYS._replace(authentication=FRESH.authentication)
    asker = signed_on(meter, half, counter=1_000)
    assert 1_000 < asker.value(counter).value
    assert ActionResult.SUCCESS is invoke(asker, TRANSFER, wrapped((ENCRYPTION, b"E" * 16)))

    assert signed_on(meter, FRESH, counter=1).value(counter).value < 1_000


def test_a_master_key_is_changed_by_itself() -> None:
    """The next keys are wrapped with the new one."""
    meter, other = device(), b"M" * 16
    assert ActionResult.SUCCESS is invoke(signed_on(meter), TRANSFER, wrapped((MASTER_KEY, other)))
    keys = ((ENCRYPTION, FRESH.encryption),)
    asker = signed_on(meter, title=b"HES\x00\x00\x00\x00\x02")
    assert ActionResult.OTHER_REASON is invoke(asker, TRANSFER, wrapped(*keys))
    assert ActionResult.SUCCESS is invoke(asker, TRANSFER, wrapped(*keys, master=other))


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (NULL, ActionResult.TYPE_UNMATCHED),
        (array(uint8(1)), ActionResult.TYPE_UNMATCHED),
        (array(structure(enum(0))), ActionResult.TYPE_UNMATCHED),
        (array(structure(octets(b""), enum(0))), ActionResult.TYPE_UNMATCHED),
        (array(), ActionResult.OTHER_REASON),
        (wrapped((1, b"B" * 16)), ActionResult.OTHER_REASON),
        (wrapped((0, b"B" * 16), (0, b"C" * 16)), ActionResult.OTHER_REASON),
        (wrapped((0, b"B" * 32)), ActionResult.OTHER_REASON),
        (wrapped((0, b"B" * 16), master=b"W" * 16), ActionResult.OTHER_REASON),
        (wrapped((2, b"B" * 16), (0, KEYS.encryption)), ActionResult.OTHER_REASON),
        (array(structure(enum(0), octets(b"short"))), ActionResult.OTHER_REASON),
    ],
)
def test_what_is_no_new_key_changes_nothing(value: CosemData, result: ActionResult) -> None:
    """A wrong wrapping, a key that was there before, half of a list: the old keys stay."""
    meter = device()
    asker = signed_on(meter)

    assert result is invoke(asker, TRANSFER, value)
    assert is_let_in(meter, KEYS)


def test_only_the_supplier_changes_keys_and_only_with_the_last_ones() -> None:
    """The reader is denied, and so is whoever signed on with keys that are gone."""
    meter = device()
    reader, late = signed_on(meter, sap=READER), signed_on(meter, title=b"HES\x00\x00\x00\x00\x02")
    keys, others = wrapped((ENCRYPTION, b"B" * 16)), wrapped((ENCRYPTION, b"C" * 16))
    for method, value in ((TRANSFER, keys), (ACTIVATE, enum(3))):
        assert ActionResult.READ_WRITE_DENIED is invoke(reader, method, value)
    asker = signed_on(meter, title=b"HES\x00\x00\x00\x00\x03")
    assert ActionResult.SUCCESS is invoke(asker, TRANSFER, keys)
    for each in (late, asker):
        assert ActionResult.READ_WRITE_DENIED is invoke(each, TRANSFER, others)


def test_a_policy_is_only_strengthened() -> None:
    """The reader has to encrypt everything then, and its password is of no use any more."""
    meter = device()
    asker = signed_on(meter)
    for number in (0, 1, 2, 4):
        assert ActionResult.OTHER_REASON is invoke(asker, ACTIVATE, enum(number))
    assert ActionResult.TYPE_UNMATCHED is invoke(asker, ACTIVATE, uint8(3))
    before = Asker(DlmsServer(meter), READER).open(Mechanism.LOW, PASSWORD)
    assert ActionResult.SUCCESS is invoke(asker, ACTIVATE, enum(3))
    after = Asker(DlmsServer(meter), READER).open(Mechanism.LOW, PASSWORD)

    assert (Result.ACCEPTED, Result.REJECTED_PERMANENT) == (before.result, after.result)
    policy = signed_on(meter, sap=READER, title=b"HES\x00\x00\x00\x00\x02")
    assert enum(3) == policy.value(name("0-0:43.0.0", class_id=64))


def test_what_cannot_be_kept_is_not_in_force() -> None:
    """The client is told to try again, and the old keys open."""

    def fail(_: bytes) -> None:
        raise StorageError("the disk is full")

    meter = device(keyring=Keyring(keep=fail))
    keys = wrapped((ENCRYPTION, FRESH.encryption))
    assert ActionResult.TEMPORARY_FAILURE is invoke(signed_on(meter), TRANSFER, keys)
    assert is_let_in(meter, KEYS)


def test_kept_keys_hold_for_the_keys_that_were_given() -> None:
    """Whoever gives a client others means those; nothing quotes a key."""
    kept: list[bytes] = []
    meter = device(keyring=Keyring(keep=kept.append))
    invoke(signed_on(meter), TRANSFER, wrapped((ENCRYPTION, FRESH.encryption)))
    keyring = Keyring(kept[-1])
    assert FRESH.encryption.hex() not in f"{keyring} {keyring.of(management_client(KEYS, MASTER))}"

    changed = keyring.of(management_client(KEYS, MASTER)).keys
    assert Keys(FRESH.encryption, KEYS.authentication) == changed
    others = management_client(Keys(b"1" * 16, b"2" * 16), MASTER)
    assert others == keyring.of(others)


@pytest.mark.parametrize(
    "damaged", [b"{", b'{"1": 1}', b'{"1":{"given":"","encryption":"x","authentication":""}}']
)
def test_a_damaged_keyring_is_refused_without_quoting_it(damaged: bytes) -> None:
    """And never begun again with the keys of the factory."""
    with pytest.raises(MalformedError, match=r"^the DLMS keys that were kept are damaged$"):
        Keyring(damaged)


def test_a_master_key_needs_keys() -> None:
    """And sixteen bytes."""
    with pytest.raises(ConfigError, match="master key"):
        reader_client(PASSWORD, None, MASTER)
    with pytest.raises(ConfigError, match="master key"):
        management_client(KEYS, b"short")
