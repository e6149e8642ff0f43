"""A certificate that is renewed while the meter runs is taken by the ports that are open."""

from __future__ import annotations

import asyncio
import itertools
import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from elec_meter import Meter, MeterConfig, Storage
from elec_meter.config.host import DlmsHost, FlagHost, PanelHost
from elec_meter.host.base import Edge
from elec_meter.host.edges import edges_of
from elec_meter.ports import parse_address
from elec_meter.runtime import Runtime
from tests.certificates import SelfSigned, of_version_8, self_signed
from tests.elec_meter.host.test_edges import BEGIN, host

FILES = {"listen": "127.0.0.1:0", "certificate": "port.crt", "key": "port.key"}
FLAG = {"flag": FlagHost(**FILES)}
ALL = FLAG | {"dlms": DlmsHost(**FILES, clients=("public",)), "panel": PanelHost(**FILES)}
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
WHOSE = (None, "localhost")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SelfSigned]:
    """Two of one kind of key, and one of another."""
    folder = tmp_path_factory.mktemp("pairs")
    made = {name: self_signed(folder, name) for name in ("first", "second")}
    return made | {"rsa": self_signed(folder, "rsa", with_rsa=True)}


class Ports:
    """The ports of a running meter, whose files are renewed.

    Attributes:
        told: the sentences.
        uptime_s: of the clock by which the files are looked at.
    """

    def __init__(self, folder: Path, first: SelfSigned, tables: dict[str, Any]) -> None:
        self.told: list[str] = []
        self.uptime_s = 0.0
        self.certificate, self.key = folder / "port.crt", folder / "port.key"
        self.put(first)
        here = replace(
            host(folder, **tables), tell=self.told.append, monotonic_s=lambda: self.uptime_s
        )
        self.edges: list[Edge] = edges_of(here)[: len(tables)]
        self.arguments: dict[str, Any] = {}
        for edge in self.edges:
            self.arguments |= edge.arguments()

    def put(self, pair: SelfSigned) -> None:
        """Renew both files, the certificate by another one in its place."""
        new = self.certificate.with_name("new")
        new.write_bytes(pair.certificate.read_bytes())
        new.replace(self.certificate)
        self.key.write_bytes(pair.key.read_bytes())

    def pass_s(self, seconds: float) -> None:
        """Let this much time pass, and the edges look; the host's clock stands, as set back."""
        self.uptime_s += seconds
        for edge in self.edges:
            edge.step(BEGIN)

    def look(self) -> None:
        """A minute passes: what is there is found twice."""
        for _ in range(2):
            self.pass_s(30)

    async def shown(self, runtime: Runtime) -> set[str]:
        """What new connections are shown, by whichever port, version and name."""
        found = set()
        places = [place.removeprefix("https://") for place in runtime.ports.values()]
        assert len(self.edges) == len(places)
        for place, version, name in itertools.product(places, VERSIONS, WHOSE):
            client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
            client.minimum_version = client.maximum_version = version
            address = parse_address(place)
            _, writer = await asyncio.open_connection(*address, ssl=client, server_hostname=name)
            der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            found.add(ssl.DER_cert_to_PEM_cert(der))
            writer.transport.abort()
        return found

    def served(self, scene: Callable[[Runtime], Any]) -> None:
        """Open them for what is done meanwhile."""

        async def run() -> None:
            meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
            async with Runtime(meter, lambda: BEGIN, **self.arguments) as runtime:
                await scene(runtime)

        asyncio.run(asyncio.wait_for(run(), 60))


def pem(pair: SelfSigned) -> set[str]:
    """It, as connections are shown it."""
    return {pair.certificate.read_text()}


def test_every_port_takes_a_key_of_another_kind(
    pairs: dict[str, SelfSigned], tmp_path: Path
) -> None:
    """To RSA and back: the next connection has it, by any version of TLS; it is told."""
    ports = Ports(tmp_path, pairs["first"], ALL)

    async def scene(runtime: Runtime) -> None:
        assert pem(pairs["first"]) == await ports.shown(runtime)
        for name in ("rsa", "second", "rsa"):
            ports.put(pairs[name])
            ports.told.clear()
            ports.look()
            sentence = f"the certificate {ports.certificate} was renewed, and new connections"
            assert [f"{sentence} have it"] * len(ALL) == ports.told
            assert pem(pairs[name]) == await ports.shown(runtime)

    ports.served(scene)


def cut(ports: Ports, new: SelfSigned) -> None:
    """The new one, and half of the authority's."""
    chain = new.certificate.read_bytes()
    ports.put(new)
    ports.certificate.write_bytes(chain + chain[: len(chain) // 2])


def put_pipe(ports: Ports, _new: SelfSigned) -> None:
    """Nobody writes into it."""
    ports.certificate.unlink()
    os.mkfifo(ports.certificate)


SPOILT: dict[str, tuple[Callable[[Ports, SelfSigned], object], str]] = {
    "half a chain": (cut, "a certificate after the first in {} is cut off or damaged"),
    "garbage": (lambda at, _: at.certificate.write_bytes(os.urandom(64)), "{} holds no certif"),
    "another version": (
        lambda at, new: at.certificate.write_text(of_version_8(new.certificate.read_text())),
        "{} holds no certificate in PEM",
    ),
    "a pipe": (put_pipe, "{} is no file"),
    "nothing": (lambda at, _: at.certificate.unlink(), "{} cannot be read: no such file"),
    "the certificate alone": (
        lambda at, new: at.certificate.write_bytes(new.certificate.read_bytes()),
        "port.key is not that of the certificate {}",
    ),
    "another key": (
        lambda at, new: at.key.write_bytes(new.key.read_bytes()),
        "port.key is not that of the certificate {}",
    ),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_what_does_not_fit_changes_nothing(
    kind: str, pairs: dict[str, SelfSigned], tmp_path: Path
) -> None:
    """It is told once, new connections have the certificate from before, and then a good one."""
    ports, (spoil, sentence) = Ports(tmp_path, pairs["first"], FLAG), SPOILT[kind]

    async def scene(runtime: Runtime) -> None:
        spoil(ports, pairs["second"])
        for _ in range(3):
            ports.look()
            assert pem(pairs["first"]) == await ports.shown(runtime)
        assert 1 == len(ports.told)
        assert sentence.format(ports.certificate) in ports.told[0]
        assert ports.told[0].endswith("; connections have the certificate from before")
        ports.put(pairs["rsa"])
        ports.look()
        assert 2 == len(ports.told)
        assert pem(pairs["rsa"]) == await ports.shown(runtime)

    ports.served(scene)


def test_a_renewed_one_is_taken_within_a_minute(
    pairs: dict[str, SelfSigned], tmp_path: Path
) -> None:
    """By a clock that nobody sets: that of the host stands still here for as long as it takes."""
    ports = Ports(tmp_path, pairs["first"], FLAG)
    ports.pass_s(0)
    ports.put(pairs["second"])
    for seconds in (29, 1, 29):
        ports.pass_s(seconds)
        assert [] == ports.told
    ports.pass_s(1)
    assert 1 == len(ports.told)
    ports.put(pairs["second"])
    ports.look()
    assert 1 == len(ports.told)


def test_a_chain_that_is_still_written_is_not_taken(
    pairs: dict[str, SelfSigned], tmp_path: Path
) -> None:
    """Cut between two certificates it is a good one by itself: it is looked at once more."""
    ports = Ports(tmp_path, pairs["first"], FLAG)
    ports.put(pairs["second"])
    ports.pass_s(30)
    with ports.certificate.open("ab") as file:
        file.write(pairs["rsa"].certificate.read_bytes())
    ports.pass_s(30)
    assert [] == ports.told
    ports.pass_s(30)
    assert 1 == len(ports.told)


def test_what_is_wrong_again_is_told_again(pairs: dict[str, SelfSigned], tmp_path: Path) -> None:
    """What comes back between is served all the time, and no word is lost about that."""
    ports = Ports(tmp_path, pairs["first"], FLAG)
    for _ in range(2):
        ports.certificate.unlink()
        ports.look()
        ports.put(pairs["first"])
        ports.look()
    assert 2 == len(ports.told)


def test_a_renewed_certificate_that_is_not_valid_yet_is_told(tmp_path: Path) -> None:
    """As at the start: it is taken all the same."""
    told: list[str] = []
    looks_s = itertools.count(0, 30)
    both = self_signed(tmp_path, "panel").both
    table = PanelHost(certificate=both.name, key=both.name)
    here = host(tmp_path, panel=table)
    (edge, *_) = edges_of(replace(here, tell=told.append, monotonic_s=lambda: next(looks_s)))
    self_signed(tmp_path, "later", begins=BEGIN + timedelta(minutes=1)).both.replace(both)
    edge.step(BEGIN)
    edge.step(BEGIN)
    assert 2 == len(told)
    assert "begins on 2026-04-01" in told[1]
