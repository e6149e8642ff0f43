"""A panel in front of a real meter that stands still, and clients of it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import cache
from typing import Any

import httpx

from elec_meter import Storage
from elec_meter.access import GATE_KEY, Gate, Level, client_key, stored_key
from elec_meter.control import Orders
from elec_meter.pairing_desk import PairingDesk
from elec_meter.panel import HouseControls, Panel
from elec_meter.panel_desk import PanelDesk
from tests.elec_meter.objects.lived import Life, whole_life

PASSWORDS = {Level.READER: "reader", Level.INSTALLER: "installer", Level.SUPPLIER: "supplier"}
HERE = ("127.0.0.1", 50_000)
ELSEWHERE = ("192.0.2.7", 50_000)


SALT = bytes(16)


@cache
def verifier(level: Level, password: str) -> bytes:
    """What a gate keeps of a password; computing it takes a while on purpose."""
    return stored_key(client_key(password, SALT, level))


class Toy:
    """Controls of a house that only remembers what was wished for."""

    def __init__(self) -> None:
        self.wishes: list[dict[str, Any]] = []

    def status(self) -> dict[str, Any]:
        """As the demo's."""
        return {
            "speed": 1.0,
            "loss": 0.0,
            "turned": 0,
            "telegrams_sent": 0,
            "telegrams_received": 0,
            "unit": {"label": "", "qr_text": "", "mprn": "", "dial": "01234.567"},
            "change_day": "2026-10-25",
            "dark_until": None,
        }

    def steer(self, wish: dict[str, Any]) -> None:
        """Remember it."""
        self.wishes.append(wish)


class Standing:
    """A meter that has lived, its panel, and browsers.

    Attributes:
        life: the meter's.
        durable_calls: how often the panel had everything made durable.
    """

    def __init__(
        self,
        *,
        demo: HouseControls | None = None,
        life: Life | None = None,
        is_encrypted: bool = False,
    ) -> None:
        self.life = life or whole_life(Storage.in_memory())
        meter = self.life.meter
        self.durable_calls = 0
        self.gate = Gate(lambda: meter.config.serial, meter.storage.record_event)
        meter.save_beside(GATE_KEY, self.gate.packed)
        for level, password in PASSWORDS.items():
            self.gate.set_verifier(level, SALT, verifier(level, password), self.now())
        orders = Orders(meter, now=self.now, durable=self.durable, status=dict, gate=self.gate)
        self.desk = PanelDesk(
            meter,
            self.gate,
            orders,
            PairingDesk(meter, self.now, self.durable, has_receiver=True),
            now=self.now,
            durable=self.durable,
            is_at_meter=demo is not None,
        )
        self.panel = Panel(self.desk, ["localhost"], demo=demo, is_encrypted=is_encrypted)

    def now(self) -> datetime:
        """The host's time."""
        return self.life.now

    def durable(self) -> None:
        """Everything is durable."""
        self.durable_calls += 1
        self.life.meter.handle_timer(self.now())
        self.life.meter.checkpoint()

    def browser(self, peer: tuple[str, int] = HERE) -> Browser:
        """Somebody who looks, at this computer or at another one."""
        return Browser(self.panel, peer)


class Browser:
    """A client with cookies, which sends along the token that the page was told."""

    def __init__(self, panel: Panel, peer: tuple[str, int] = HERE) -> None:
        self._app = panel.app
        self._peer = peer
        self.cookies = httpx.Cookies()
        self.token = ""

    def request(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The response to any request; an error inside the panel is raised here."""
        return asyncio.run(self._request(method, path, how))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """The response to a reading request."""
        return self.request("GET", path, headers=headers)

    async def _request(self, method: str, path: str, how: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, client=self._peer)
        base = "http://localhost:8062"
        async with httpx.AsyncClient(
            transport=transport, base_url=base, cookies=self.cookies
        ) as client:
            response = await client.request(method, path, **how)
            self.cookies = client.cookies
            return response

    def ask(self, path: str) -> Any:
        """What a path tells, which must be allowed."""
        response = self.get(path)
        assert 200 == response.status_code, response.text
        return response.json()

    def refused(self, path: str) -> tuple[int, str]:
        """Status and sentence of a refusal."""
        return refusal(self.get(path))

    def load(self) -> None:
        """Open the page: learn the token."""
        self.token = self.ask("/api/session")["token"]

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """The response to a change."""
        return self.request(
            "POST", path, json=body, headers={"x-csrf-token": self.token, **headers}
        )

    def sign_on(self, level: int, password: str) -> httpx.Response:
        """The response to a sign-on; the token is the new session's."""
        self.load()
        response = self.post("/api/session", {"level": level, "password": password})
        if response.status_code == 200:
            self.token = response.json()["token"]
        return response


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and sentence of a refusal."""
    assert response.status_code != 200
    return response.status_code, response.json()["error"]
