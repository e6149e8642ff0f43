"""The web panel and add-on modules as the file names them."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from elec_meter import Meter, MeterConfig, Storage
from elec_meter.access import Gate, Level, stored_key
from elec_meter.config import (
    AddonConfig,
    AddonSetting,
    MainsHost,
    PanelHost,
    TerminalsHost,
    file_from_toml,
)
from elec_meter.demo.spare import LABEL
from elec_meter.errors import ConfigError
from elec_meter.host.addons import AddonsEdge
from elec_meter.host.panel import PanelEdge
from elec_meter.host.ports import CredentialsMissingError
from elec_meter.panel import PanelExposedError
from elec_meter.ports import CertificateError
from elec_meter.runtime import Runtime
from tests.certificates import self_signed
from tests.elec_meter.flag.programmer import PASSWORDS, SALT, known_key
from tests.elec_meter.host.test_edges import BEGIN, host

HOUSE = "[host.mains]\nsynthetic_w = 1\n"


def test_a_panel_is_opened_by_its_table(tmp_path: Path) -> None:
    """Over TLS and by the names of the file; it is no demo, and its cookie is for TLS alone."""
    self_signed(tmp_path, "panel").both.replace(tmp_path / "panel.pem")
    table = PanelHost(
        listen="127.0.0.1:0", certificate="panel.pem", key="panel.pem", names=("meter.home.arpa",)
    )
    edge = PanelEdge(host(tmp_path, panel=table))
    context = ssl.create_default_context(cafile=str(tmp_path / "panel.pem"))

    async def looked() -> tuple[list[int], bool, str]:
        meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
        async with Runtime(meter, lambda: BEGIN, **edge.arguments()) as runtime:
            key = stored_key(known_key("mine", Level.READER))
            runtime.gate.set_verifier(Level.READER, SALT, key, BEGIN)
            url = runtime.ports["panel"].replace("127.0.0.1", "localhost")
            statuses = []
            async with httpx.AsyncClient(verify=context, base_url=url) as client:
                for name in ("meter.home.arpa", "evil.example"):
                    response = await client.get("/api/clock", headers={"host": name})
                    statuses.append(response.status_code)
                session = (await client.get("/api/session")).json()
                signed_on = await client.post(
                    "/api/session",
                    json={"level": 1, "password": "mine"},
                    headers={"x-csrf-token": session["token"]},
                )
            return statuses, session["is_demo"], signed_on.headers["set-cookie"]

    statuses, is_demo, cookie = asyncio.run(looked())
    assert ([200, 421], False) == (statuses, is_demo)
    assert "Secure" in cookie


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ({}, True),
        ({"terminals": TerminalsHost()}, True),
        ({"terminals": TerminalsHost(chip="/dev/gpiochip0", contactor=17)}, False),
        ({"mains": MainsHost(port="/dev/ttyUSB0")}, False),
    ],
)
def test_where_there_is_no_house_who_clicks_is_at_the_meter(
    tables: dict[str, Any], expected: bool, tmp_path: Path
) -> None:
    """Nothing else could close the contactor there; a wired chip may lead to a real one."""
    edge = PanelEdge(host(tmp_path, panel=PanelHost(), **tables))
    assert expected is edge.arguments()["panel"].is_at_meter


@pytest.mark.parametrize("has_receiver", [False, True])
def test_nothing_is_paired_where_nothing_hears(has_receiver: bool, tmp_path: Path) -> None:
    """A pairing is refused at its begin, in place of a wait that would be in vain."""
    edge = PanelEdge(host(tmp_path, panel=PanelHost(listen="127.0.0.1:0")))
    arguments = edge.arguments() | {"has_receiver": has_receiver}

    async def begun() -> int:
        meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
        async with Runtime(meter, lambda: BEGIN, **arguments) as runtime:
            key = stored_key(known_key("mine", Level.INSTALLER))
            runtime.gate.set_verifier(Level.INSTALLER, SALT, key, BEGIN)
            async with httpx.AsyncClient(base_url=runtime.ports["panel"]) as client:

                async def send(path: str, body: Any, token: str) -> httpx.Response:
                    headers = {"x-csrf-token": token}
                    return await client.post(path, json=body, headers=headers)

                token = (await client.get("/api/session")).json()["token"]
                signed_on = await send("/api/session", {"level": 2, "password": "mine"}, token)
                token = signed_on.json()["token"]
                begin = {"request": "pair.begin", "label": LABEL.qr_text}
                response = await send("/api/pairing", begin, token)
        if response.status_code != 200:
            assert "this meter has no receiver" in response.json()["error"]
        return response.status_code

    assert (200 if has_receiver else 409) == asyncio.run(begun())


@pytest.mark.parametrize("listen", ["0.0.0.0:8062", "[::]:8062", "meter.home.arpa:8062"])
def test_a_panel_is_not_open_to_a_network_in_clear(tmp_path: Path, listen: str) -> None:
    """Elsewhere than on this computer it takes a certificate, or the word that it is wanted."""
    with pytest.raises(PanelExposedError, match="or insecure = true if nobody else"):
        PanelEdge(host(tmp_path, panel=PanelHost(listen=listen)))
    edge = PanelEdge(host(tmp_path, panel=PanelHost(listen=listen, insecure=True)))
    assert edge.arguments()["panel"].is_insecure


def test_a_panel_without_passwords_is_not_opened(tmp_path: Path) -> None:
    """Nor is one with the demo's, which everybody knows; the sentence has the command."""
    edge = PanelEdge(host(tmp_path, panel=PanelHost()))
    gate = Gate(lambda: "00000001", lambda *_: None)
    with pytest.raises(CredentialsMissingError, match="the panel port is not opened, because"):
        edge.require(gate)
    for level, password in PASSWORDS.items():
        key = stored_key(known_key(f"my {password}", Level(level)))
        gate.set_verifier(Level(level), SALT, key, BEGIN)
    edge.require(gate)


def test_a_certificate_that_is_missing_is_named(tmp_path: Path) -> None:
    """Before power comes to the meter."""
    table = PanelHost(certificate="panel.crt", key="panel.key")
    with pytest.raises(CertificateError, match=r"panel\.crt cannot be read"):
        PanelEdge(host(tmp_path, panel=table))


@pytest.mark.parametrize(
    ("days", "sentences"),
    [(-9, ["ended on 2026-04-01"]), (-8, []), (0, []), (1, ["begins on 2026-04-02"])],
)
def test_a_certificate_that_is_not_valid_now_is_told(
    days: int, sentences: list[str], tmp_path: Path
) -> None:
    """The port is opened all the same: the clock of this computer may be wrong."""
    begins = BEGIN + timedelta(days=days, seconds=-1)
    self_signed(tmp_path, "panel", begins=begins).both.replace(tmp_path / "panel.pem")
    told: list[str] = []
    table = PanelHost(certificate="panel.pem", key="panel.pem")
    edge = PanelEdge(replace(host(tmp_path, panel=table), tell=told.append))
    assert edge.arguments()["panel"].tls is not None
    assert len(sentences) == len(told)
    assert all(part in sentence for part, sentence in zip(sentences, told, strict=True))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[host.panel]\nkey = 'a'", "'certificate' and 'key' go together"),
        ("[host.panel]\nnames = ['https://a']", "this must be a host name of small letters"),
        ("[host.panel]\nlisten = 8062", "text"),
        ("[[host.addons]]\nname = 'a'\nmodule = 'p1'\n" * 2, "the add-on a occurs twice"),
    ],
)
def test_a_table_that_is_wrong_is_refused(text: str, sentence: str) -> None:
    """In one sentence that says what it must be."""
    with pytest.raises(ConfigError, match=sentence):
        file_from_toml(HOUSE + text)


def test_modules_of_the_file_are_in_the_slot(tmp_path: Path) -> None:
    """One runs, and what it says of itself is told to whoever started the meter."""
    told: list[str] = []
    listen = AddonSetting(name="listen", value="127.0.0.1:0")
    module = AddonConfig(name="mine", module="p1", settings=(listen,))
    edge = AddonsEdge(replace(host(tmp_path, addons=(module,)), tell=told.append))

    async def placed() -> str:
        meter = Meter(MeterConfig(), Storage.in_memory(), BEGIN)
        async with (
            Runtime(meter, lambda: BEGIN, **edge.arguments()) as runtime,
            asyncio.timeout(60),
        ):
            while "mine" not in runtime.ports:
                await runtime.wait(0.05)
            return runtime.ports["mine"]

    assert f"mine listens on {asyncio.run(placed())}" in told
