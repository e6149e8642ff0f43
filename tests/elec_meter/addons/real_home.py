"""A real Home Assistant beside a test, where the environment names one."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlencode

import pytest
from websockets.sync.client import connect

from tests.elec_meter.addons.broker import free_port

COMMAND: Final = shlex.split(os.environ.get("HOME_ASSISTANT", ""))
needs_home_assistant = pytest.mark.skipif(
    not COMMAND, reason="HOME_ASSISTANT names no `hass` to try this with"
)

_STARTS_S: Final = 120.0
_CONFIGURATION: Final = """
http: {{server_host: 127.0.0.1, server_port: {port}}}
api:
auth:
config:
energy:
history:
onboarding:
recorder:
logger: {{default: warning}}
"""


class RealHome:
    """One that runs, with its owner signed on.

    Attributes:
        url: of its WebSocket API.
        token: of its owner.
        log: what it complained of.
    """

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"ws://127.0.0.1:{port}/api/websocket"
        self.token = ""
        self.log = log
        self._at = f"http://127.0.0.1:{port}"

    def wait_for_start(self, is_running: Callable[[], bool]) -> None:
        """Until it asks who its owner is."""
        give_up_s = time.monotonic() + _STARTS_S
        while time.monotonic() < give_up_s and is_running():
            try:
                self.ask("GET", "/api/onboarding")
            except (URLError, ConnectionError):
                time.sleep(0.2)
            else:
                return
        raise AssertionError(f"Home Assistant does not start: {self.log.read_text()[-2_000:]}")

    def sign_on(self) -> None:
        """Make the owner, and a token for the time of a test."""
        person = {"name": "Owner", "username": "owner", "password": "a password", "language": "en"}
        client = {"client_id": f"{self._at}/"}
        made = self.ask("POST", "/api/onboarding/users", client | person)
        grant = {"grant_type": "authorization_code", "code": made["auth_code"], **client}
        request = urllib.request.Request(f"{self._at}/auth/token", urlencode(grant).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.token = str(json.load(answer)["access_token"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the REST API."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self._at}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def command(self, command: str, **fields: Any) -> Any:
        """The result of a command of the WebSocket API."""
        with connect(self.url, max_size=None) as line:
            line.recv()
            line.send(json.dumps({"type": "auth", "access_token": self.token}))
            assert "auth_ok" == json.loads(line.recv())["type"]
            line.send(json.dumps({"id": 1, "type": command, **fields}))
            answer = json.loads(line.recv())
        assert answer["success"], answer
        return answer["result"]

    def set_up(self, integration: str, answers: dict[str, Any]) -> None:
        """Add an integration, as its pages do, with these answers to what they ask."""
        flows = "/api/config/config_entries/flow"
        step = self.ask("POST", flows, {"handler": integration})
        while step["type"] == "form":
            assert not step["errors"], step["errors"]
            told = _filled(step["data_schema"], answers)
            step = self.ask("POST", f"{flows}/{step['flow_id']}", told)
        assert "create_entry" == step["type"], step

    def states(self, word: str) -> dict[str, dict[str, Any]]:
        """The entities with this word in their names: state and attributes."""
        found = {each["entity_id"]: each for each in self.ask("GET", "/api/states")}
        return {name: each for name, each in found.items() if word in name}

    def complaints(self, *words: str) -> list[str]:
        """The lines of the log about these."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        levels = (" WARNING ", " ERROR ")
        return [
            line
            for line in lines
            if any(level in line for level in levels) and any(word in line for word in words)
        ]


@contextmanager
def real_home(directory: Path) -> Iterator[RealHome]:
    """One that is new, on the loopback, until the context ends."""
    port = free_port()
    (directory / "configuration.yaml").write_text(_CONFIGURATION.format(port=port))
    log = directory / "said.txt"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "--skip-pip", "-c", str(directory)], stdout=file, stderr=subprocess.STDOUT
        )
        try:
            home = RealHome(port, log)
            home.wait_for_start(lambda: process.poll() is None)
            home.sign_on()
            yield home
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _filled(fields: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
    told = {each["name"]: answers[each["name"]] for each in fields if each["name"] in answers}
    sections = [each for each in fields if each.get("type") == "expandable"]
    return told | {each["name"]: _filled(each["schema"], answers) for each in sections}
