from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from elec_meter import Storage
from elec_meter.access import Level, SignedOn
from elec_meter.panel.desk import BODY_MAX, COOKIE
from elec_meter.panel.sessions import IDLE_S, SESSIONS_MAX, Sessions
from tests.elec_meter.objects.lived import Life
from tests.elec_meter.panel.standing import ELSEWHERE, HERE, Browser, Standing, Toy, refusal

LONG = b"x" * 129


@pytest.fixture
def standing() -> Standing:
    """A meter nobody has signed on to yet."""
    return Standing(life=Life(Storage.in_memory()))


@pytest.fixture(scope="module")
def settled() -> tuple[Standing, Browser]:
    """A meter and the supplier who signed on to it."""
    standing = Standing(life=Life(Storage.in_memory()))
    browser = standing.browser()
    browser.sign_on(3, "supplier")
    return standing, browser


def resets(standing: Standing) -> object:
    """How often maximum demand was reset."""
    return standing.life.meter.objects["1-0:0.1.0"].value


def texts(standing: Standing) -> list[str]:
    """The event log's sentences."""
    return [event.text for event in standing.life.storage.events()]


def test_an_order_needs_a_level(standing: Standing) -> None:
    """Without signing on nothing is changed, whatever level the request claims."""
    browser = standing.browser()
    browser.load()
    response = browser.post("/api/orders", {"request": "demand.reset", "level": 3})

    assert (401, "NotSignedOnError") == (response.status_code, response.json()["kind"])
    assert 0 == resets(standing)


def test_who_signed_on_gives_orders(standing: Standing) -> None:
    """The order is done, logged with the level and the port, and durable before it is told."""
    browser = standing.browser()
    assert 200 == browser.sign_on(3, "supplier").status_code
    response = browser.post("/api/orders", {"request": "demand.reset"})

    assert 200 == response.status_code, response.text
    assert 1 == resets(standing)
    assert any("maximum demand was reset by level 3 at panel" in text for text in texts(standing))
    assert 3 == browser.ask("/api/session")["level"]


def test_a_level_gives_no_orders_above_it(standing: Standing) -> None:
    """An installer cannot end a billing period by claiming to be the supplier."""
    browser = standing.browser()
    browser.sign_on(2, "installer")
    response = browser.post("/api/orders", {"request": "billing.end", "level": 3})

    assert (403, "NotAllowedError") == (response.status_code, response.json()["kind"])


def test_a_wrong_password_locks_the_level_here_alone(standing: Standing) -> None:
    """Three failures lock it at this port; neither the right password nor another browser opens it.

    Whoever is at the meter is not locked out by a stranger on the network.
    """
    stranger = standing.browser(ELSEWHERE)
    statuses = [stranger.sign_on(3, f"guess {n}").status_code for n in range(3)]
    locked = standing.browser(ELSEWHERE).sign_on(3, "supplier")

    assert [401, 401, 401] == statuses
    assert (429, "LevelLockedError") == (locked.status_code, locked.json()["kind"])
    assert "level 3 is locked at panel network until" in locked.json()["error"]
    assert 200 == standing.browser().sign_on(3, "supplier").status_code
    assert 3 == sum(
        "sign-on to level 3 failed at panel network" in text for text in texts(standing)
    )


def test_a_failure_is_durable_before_it_is_told(standing: Standing) -> None:
    """Power that fails after the third guess does not forget the lock."""
    browser = standing.browser()
    browser.load()
    before = standing.durable_calls
    browser.post("/api/session", {"level": 1, "password": "wrong"})

    assert before < standing.durable_calls


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * 48},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_another_sites_request_changes_nothing(standing: Standing, headers: dict[str, str]) -> None:
    """A change without the page's token, or that a browser says is another site's, is refused."""
    browser = standing.browser()
    browser.sign_on(3, "supplier")
    for path, body in (
        ("/api/orders", {"request": "demand.reset"}),
        ("/api/button", {"held_ms": 0}),
        ("/api/session", {"level": 3, "password": "supplier"}),
    ):
        assert 403 == browser.post(path, body, **headers).status_code
    assert 403 == browser.request("DELETE", "/api/session", headers=headers).status_code
    assert 0 == resets(standing)


def test_a_token_is_of_one_session(standing: Standing) -> None:
    """A visitor's token, or another session's, does not serve somebody who signed on."""
    visitor, first, second = standing.browser(), standing.browser(), standing.browser()
    visitor.load()
    first.sign_on(3, "supplier")
    second.sign_on(3, "supplier")
    for token in (visitor.token, second.token):
        first.token = token
        assert 403 == first.post("/api/orders", {"request": "demand.reset"}).status_code


def test_the_cookie_is_the_pages_alone(standing: Standing) -> None:
    """No script reads it, no other site sends it; who signs on gets a new one."""
    browser = standing.browser()
    header = browser.sign_on(1, "reader").headers["set-cookie"]

    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    first = browser.cookies[COOKIE]
    browser.sign_on(3, "supplier")
    assert first != browser.cookies[COOKIE]
    browser.cookies.clear()
    browser.cookies.set(COOKIE, first)
    assert 0 == browser.ask("/api/session")["level"]


def test_signing_off_ends_the_session(standing: Standing) -> None:
    """The cookie is worth nothing afterwards."""
    browser = standing.browser()
    browser.sign_on(3, "supplier")
    kept = browser.cookies[COOKIE]
    headers = {"x-csrf-token": browser.token}
    assert 200 == browser.request("DELETE", "/api/session", headers=headers).status_code

    browser.cookies.set(COOKIE, kept)
    assert 0 == browser.ask("/api/session")["level"]


def test_a_page_whose_session_has_ended_is_told_so(standing: Standing) -> None:
    """It is the panel's own page, and need not be loaded again; without its token it is none."""
    browser = standing.browser()
    browser.sign_on(3, "supplier")
    standing.panel._desk.sessions.end(browser.cookies[COOKIE])
    response = browser.post("/api/orders", {"request": "demand.reset"})
    assert (401, "the sign-on has ended: sign on again") == refusal(response)
    browser.token = ""
    assert 403 == browser.post("/api/orders", {"request": "demand.reset"}).status_code
    assert 0 == resets(standing)


def test_a_stream_ends_with_its_session(standing: Standing) -> None:
    """Whoever signs off at another computer sees no more; on this one it takes no session."""
    elsewhere = standing.browser(ELSEWHERE)
    elsewhere.sign_on(1, "reader")
    headers = {"x-csrf-token": elsewhere.token}

    async def looked() -> list[bool]:
        running = asyncio.create_task(standing.panel.live.run())
        far = Looking(standing, ELSEWHERE, elsewhere.cookies[COOKIE])
        here = Looking(standing, HERE, elsewhere.cookies[COOKIE])
        before = [await far.sees(), await here.sees()]
        await elsewhere._request("DELETE", "/api/session", {"headers": headers})
        for _ in range(10):  # what was on its way already may come
            if not await far.sees():
                break
            standing.panel.live.hurry()
        else:
            pytest.fail("the stream goes on")
        here.forget()
        standing.panel.live.hurry()
        after = await here.sees()
        for each in (far, here):
            await each.leave()
        running.cancel()
        return [*before, after]

    assert [True, True, True] == asyncio.run(looked())


class Looking:
    """Somebody with the live stream open."""

    def __init__(self, standing: Standing, peer: tuple[str, int], cookie: str) -> None:
        self._sent = asyncio.Queue[int]()
        self._leaving = asyncio.Event()
        headers = [(b"host", b"localhost"), (b"cookie", f"{COOKIE}={cookie}".encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/live", "raw_path": b"/api/live"}
        scope |= {"query_string": b"", "root_path": "", "client": peer, "headers": headers}
        self._task = asyncio.create_task(standing.panel.app(scope, self._receive, self._send))

    async def sees(self) -> bool:
        """Whether what comes next is a snapshot, and not the end."""
        return await self._sent.get() > 0

    def forget(self) -> None:
        """What has come so far."""
        while not self._sent.empty():
            self._sent.get_nowait()

    async def leave(self) -> None:
        """Close it."""
        self._leaving.set()
        await self._task

    async def _receive(self) -> dict[str, str]:
        await self._leaving.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self._sent.put_nowait(len(message["body"]))


def test_sessions_end_when_idle_and_are_bounded() -> None:
    """A quarter of an hour without a request ends one; many sign-ons push out the idlest."""
    now, drawn = [0.0], iter(range(10_000))
    sessions = Sessions(lambda: now[0], lambda count: next(drawn).to_bytes(count, "big"))
    signed_on = SignedOn(Level.READER, "panel", None)
    first = sessions.begin(signed_on)
    now[0] = IDLE_S
    assert sessions.find(first) is not None
    now[0] = 2 * IDLE_S + 1
    assert sessions.find(first) is None

    names = [sessions.begin(signed_on) for _ in range(SESSIONS_MAX + 5)]
    assert SESSIONS_MAX == len(sessions)
    assert sessions.find(names[-1]) is not None
    assert sessions.find(names[0]) is None


@pytest.mark.parametrize(
    ("path", "content", "kind", "status"),
    [
        ("/api/orders", b"", "application/json", 400),
        ("/api/orders", b"[]", "application/json", 400),
        ("/api/orders", b"{", "application/json", 400),
        ("/api/orders", b"[" * 100_000, "application/json", 400),
        ("/api/orders", b"\xff\xfe", "application/json", 400),
        ("/api/orders", b'{"request": "demand.reset"}', "text/plain", 400),
        ("/api/orders", b'{"request": "demand.reset"}', "application/x-www-form-urlencoded", 400),
        ("/api/orders", b'{"request": "' + b"x" * BODY_MAX + b'"}', "application/json", 400),
        ("/api/orders", b'{"request": "format.disk"}', "application/json", 409),
        ("/api/orders", b'{"request": "clock.adjust", "by_s": 1e400}', "application/json", 409),
        ("/api/orders", b'{"request": "clock.adjust", "by_s": NaN}', "application/json", 409),
        ("/api/orders", b'{"request": 1, "level": "9"}', "application/json", 409),
        ("/api/button", b'{"held_ms": -1}', "application/json", 400),
        ("/api/button", b'{"held_ms": "long"}', "application/json", 400),
        ("/api/button", b'{"held_ms": 1e9}', "application/json", 400),
        ("/api/session", b'{"level": 4, "password": "x"}', "application/json", 400),
        ("/api/session", b'{"level": true, "password": "reader"}', "application/json", 400),
        ("/api/session", b'{"level": 1, "password": ""}', "application/json", 400),
        (
            "/api/session",
            b'{"level": 1, "password": "' + b"x" * 129 + b'"}',
            "application/json",
            400,
        ),
        ("/api/session", b'{"level": 1, "password": "\\ud800"}', "application/json", 400),
    ],
)
def test_nonsense_changes_nothing(
    settled: tuple[Standing, Browser], path: str, content: bytes, kind: str, status: int
) -> None:
    """Whatever is sent is answered with one sentence; no failure counts towards a lock-out."""
    standing, browser = settled
    before = texts(standing)
    headers = {"x-csrf-token": browser.token, "content-type": kind}
    response = browser.request("POST", path, content=content, headers=headers)

    assert (status, True) == (response.status_code, bool(response.json()["error"]))
    assert before == texts(standing)


def test_an_endless_body_is_given_up(standing: Standing) -> None:
    """What is too long is refused while it still comes."""
    browser, sent = standing.browser(), [0]
    browser.load()

    async def endless() -> object:
        while True:
            sent[0] += 65_536
            yield b" " * 65_536

    headers = {"x-csrf-token": browser.token, "content-type": "application/json"}
    response = browser.request("POST", "/api/button", content=endless(), headers=headers)

    assert 400 == response.status_code
    assert sent[0] <= 2 * BODY_MAX


def test_nobody_holds_the_button_from_afar(standing: Standing) -> None:
    """A real meter's contactor is closed by a person at it: a page presses shortly only."""
    browser = standing.browser()
    browser.load()
    shown = browser.ask("/api/display")[0]["screen"]

    assert 200 == browser.post("/api/button", {"held_ms": 300}).status_code
    assert shown != browser.ask("/api/display")[0]["screen"]
    assert 403 == browser.post("/api/button", {"held_ms": 2_000}).status_code
    assert 401 == stranger_presses(standing)


def stranger_presses(standing: Standing) -> int:
    """The status for somebody at another computer."""
    stranger = standing.browser(ELSEWHERE)
    stranger.load()
    return stranger.post("/api/button", {"held_ms": 0}).status_code


def test_in_a_demo_who_clicks_is_at_the_meter() -> None:
    """An armed contactor is closed by holding the button twice."""
    standing = Standing(demo=Toy(), life=Life(Storage.in_memory()))
    browser = standing.browser()
    browser.sign_on(3, "supplier")
    for request in ("contactor.open", "contactor.arm"):
        assert 200 == browser.post("/api/orders", {"request": request}).status_code
    assert "PRESS" == browser.ask("/api/display")[0]["text"].strip()
    for _ in range(2):
        assert 200 == browser.post("/api/button", {"held_ms": 2_000}).status_code

    assert standing.life.meter.switchgear.contactor.is_closed


def test_a_demo_is_steered_by_whoever_is_here() -> None:
    """Without a password on this computer, with one from another; a real meter has no such path."""
    toy = Toy()
    standing = Standing(demo=toy, life=Life(Storage.in_memory()))
    here, elsewhere = standing.browser(), standing.browser(ELSEWHERE)
    here.load()
    elsewhere.load()

    assert 200 == here.post("/api/demo", {"speed": 60}).status_code
    assert 401 == elsewhere.post("/api/demo", {"speed": 60}).status_code
    assert [{"speed": 60}] == toy.wishes
    real = Standing(life=Life(Storage.in_memory())).browser()
    real.load()
    assert 404 == real.post("/api/demo", {"speed": 60}).status_code


def test_a_configuration_is_put_in_force(standing: Standing) -> None:
    """What the page edits is applied where the level may, and refused with the path otherwise."""
    browser = standing.browser()
    browser.sign_on(2, "installer")
    toml = browser.ask("/api/config")["toml"]
    refused = browser.post(
        "/api/orders", {"request": "config.apply", "toml": toml + "\nwrong = 1\n"}
    )
    same = browser.post("/api/orders", {"request": "config.apply", "toml": toml})

    assert 409 == refused.status_code
    assert "wrong" in json.dumps(refused.json())
    assert [] == same.json()["changed"]
