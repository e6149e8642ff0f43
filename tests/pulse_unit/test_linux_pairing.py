from __future__ import annotations

import asyncio
import contextlib
import stat
from pathlib import Path

import pytest
from bumble import crypto, smp
from bumble.core import BaseBumbleError
from bumble.keys import PairingKeys

from pulse_unit.hal import linux_ble
from pulse_unit.unit import (
    OBEYED,
)
from shared.crypto.backend_cryptography import AesBlock
from shared.wire.command import seal_phase
from shared.wire.gatt import (
    ATT_INSUFFICIENT_AUTHENTICATION,
    COMMAND,
    NO_COMMAND,
    READABLE,
    RESULT,
    TELEGRAM,
    WRITABLE,
    decode_result,
)
from shared.wire.oms import open_telegram
from shared.wire.telegram import decode_records
from tests.pulse_unit.bench import LIMIT_S
from tests.pulse_unit.central import Central, Home, error_of, paired
from tests.pulse_unit.listening import KEY

WRONG_PASSKEY = 654_321
SMP_PAIRING_NOT_SUPPORTED = 0x05
SMP_AUTHENTICATION_REQUIREMENTS = 0x03
SMP_CONFIRM_VALUE_FAILED = 0x04


def test_the_right_passkey_pairs(home: Home) -> None:
    """After the button, a central that knows the label's passkey reads the telegram."""

    async def scenario() -> None:
        central = await paired(home)
        records = open_telegram(AesBlock, await central.read(TELEGRAM), KEY).records
        assert home.unit.count == decode_records(records).count

    home.run(scenario)


def test_a_wrong_passkey_does_not(home: Home) -> None:
    """It is refused and parted with, its keys are not kept, and the next may try."""

    async def scenario() -> None:
        await home.press()
        cheat = await home.central(WRONG_PASSKEY)
        await cheat.connect()
        assert SMP_CONFIRM_VALUE_FAILED == await error_of(cheat.pair())
        assert not (home.folder / "bonds").exists()
        central = await home.central()
        await central.connect()
        await central.pair()
        await central.read(RESULT)

    home.run(scenario)


def test_three_attempts_end_it_until_the_next_press(home: Home) -> None:
    """Each would tell a cheat one bit of a passkey that never changes."""

    async def scenario() -> None:
        await home.press()
        errors = []
        for passkey in (WRONG_PASSKEY, WRONG_PASSKEY, WRONG_PASSKEY, 123_456):
            central = await home.central(passkey)
            await central.connect()
            errors.append(await error_of(central.pair()))
        assert [*[SMP_CONFIRM_VALUE_FAILED] * 3, SMP_PAIRING_NOT_SUPPORTED] == errors
        await home.skip(91_000)
        await paired(home)

    home.run(scenario)


def test_nobody_pairs_outside_the_window(home: Home) -> None:
    """A unit that can be connected to for those it knows refuses all others."""

    async def scenario() -> None:
        await home.skip(61_000)
        central = await home.central()
        await central.connect()
        assert SMP_PAIRING_NOT_SUPPORTED == await error_of(central.pair())
        assert not (home.folder / "bonds").exists()

    home.run(scenario)


@pytest.mark.parametrize(
    ("passkey", "capabilities"),
    [(None, {}), (123_456, {"sc": False}), (123_456, {"bonding": False})],
)
def test_weaker_pairing_is_refused(
    home: Home, passkey: int | None, capabilities: dict[str, bool]
) -> None:
    """Without a passkey, by the protocol that listeners break, or without keeping the key."""

    async def scenario() -> None:
        await home.press()
        central = await home.central(passkey, **capabilities)
        await central.connect()
        assert SMP_AUTHENTICATION_REQUIREMENTS == await error_of(central.pair())

    home.run(scenario)


def test_a_passkey_of_zeros_pairs(tmp_path: Path) -> None:
    """One label in a million has it."""
    home = Home(tmp_path, "000000")

    async def scenario() -> None:
        await home.press()
        central = await home.central(Zero())
        await central.connect()
        await central.pair()

    home.run(scenario)


class Zero(int):
    """The central's side of the same stack wants a true one too."""

    def __bool__(self) -> bool:
        """It is one."""
        return True


def test_pairing_begins_with_its_request(home: Home) -> None:
    """A key exchange that nobody has asked for, which would need no passkey, ends at once."""

    async def scenario() -> None:
        await home.press()
        central = await home.central()
        await central.connect()
        assert central.connection is not None
        gone = asyncio.Event()
        central.connection.on(central.connection.EVENT_DISCONNECTION, lambda _: gone.set())
        key = crypto.EccKey.generate()
        command = smp.SMP_Pairing_Public_Key_Command(
            public_key_x=key.x[::-1], public_key_y=key.y[::-1]
        )
        central.device.smp_manager.send_command(central.connection, command)
        await asyncio.wait_for(gone.wait(), LIMIT_S)

    home.run(scenario)


def test_an_unknown_key_encrypts_nothing(home: Home) -> None:
    """A peer that claims to have paired has no key that the unit knows, and reads nothing."""

    async def scenario() -> None:
        await home.press()
        central = await home.central()
        await central.connect()
        assert central.connection is not None
        assert central.device.keystore is not None
        claimed = PairingKeys(ltk=PairingKeys.Key(bytes(16), authenticated=True))
        await central.device.keystore.update(str(central.connection.peer_address), claimed)
        with pytest.raises((TimeoutError, BaseBumbleError)):
            await asyncio.wait_for(central.connection.encrypt(), 2)
        assert ATT_INSUFFICIENT_AUTHENTICATION == await error_of(central.read(TELEGRAM))

    home.run(scenario)


def test_nothing_is_read_or_written_without_pairing(home: Home) -> None:
    """Every attribute answers with insufficient authentication."""

    async def scenario() -> None:
        await home.press()
        central = await home.central()
        await central.connect()
        for attribute in READABLE:
            assert ATT_INSUFFICIENT_AUTHENTICATION == await error_of(central.read(attribute))
        phase = seal_phase(AesBlock, KEY, 1, 0)
        for attribute in WRITABLE:
            data = phase if attribute == COMMAND else b"\x00"
            code = await error_of(central.write(attribute, data))
            assert ATT_INSUFFICIENT_AUTHENTICATION == code
        assert OBEYED == home.unit.obey(phase, home.board.uptime_ms())  # its counter is not used up

    home.run(scenario)


def test_a_stranger_cannot_hold_the_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not pair is parted with, however much he asks; who has paired may be silent."""
    monkeypatch.setattr(linux_ble, "_STRANGER_S", 0.5)

    async def scenario() -> None:
        await home.press()
        stranger = await home.central()
        await stranger.connect()
        assert stranger.connection is not None
        gone = asyncio.Event()
        stranger.connection.on(stranger.connection.EVENT_DISCONNECTION, lambda _: gone.set())
        with contextlib.suppress(BaseBumbleError, TimeoutError):
            while not gone.is_set():
                await error_of(stranger.read(TELEGRAM))
                await asyncio.sleep(0.1)
        await asyncio.wait_for(gone.wait(), LIMIT_S)
        central = await paired(home)
        await asyncio.sleep(0.8)
        assert NO_COMMAND == decode_result(await central.read(RESULT)).code

    home.run(scenario)


def test_who_has_paired_comes_back_in_any_window(home: Home) -> None:
    """Long after the button, after a restart of the unit; the key file is its owner's alone."""
    peers: list[Central] = []

    async def first() -> None:
        peers.append(await paired(home))
        await peers[0].disconnect()

    async def second() -> None:
        await home.skip(61_000)
        central = await home.central()
        central.device.keystore = peers[0].device.keystore
        central.device.random_address = peers[0].device.random_address
        await central.connect()
        assert ATT_INSUFFICIENT_AUTHENTICATION == await error_of(central.read(RESULT))
        assert central.connection is not None
        await asyncio.wait_for(central.connection.encrypt(), LIMIT_S)
        assert NO_COMMAND == decode_result(await central.read(RESULT)).code

    home.run(first)
    assert 0o600 == stat.S_IMODE((home.folder / "bonds").stat().st_mode)
    home.forget_centrals()
    home.run(second)
