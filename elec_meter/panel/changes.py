"""What a page can change: who is signed on, the button, orders, and a demo's house."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from elec_meter.access import PASSWORD_LEVELS, Level, SignOnRefusedError

from .desk import COOKIE, LOCAL_PORT, REMOTE_PORT, Answer, Desk, answering, body_of, told
from .errors import PanelRequestError
from .guard import is_local
from .meter import HouseControls
from .stream import LiveStream

HELD_MAX_MS: Final = 60_000
_PASSWORD_MAX: Final = 128


def change_routes(desk: Desk, live: LiveStream, demo: HouseControls | None) -> list[Route]:
    """Routes of everything that is not reading alone."""
    changes = _Changes(desk, live, demo)
    posts = {"session": changes.sign_on, "button": changes.press, "orders": changes.order}
    posts["pairing"] = changes.pair
    if demo is not None:
        posts["demo"] = changes.steer
    return [
        Route("/api/session", answering(changes.session), methods=["GET"]),
        Route("/api/session", changes.genuine(changes.sign_off), methods=["DELETE"]),
        *(
            Route(f"/api/{name}", changes.genuine(do), methods=["POST"])
            for name, do in posts.items()
        ),
    ]


class _Changes:
    def __init__(self, desk: Desk, live: LiveStream, demo: HouseControls | None) -> None:
        self._desk = desk
        self._live = live
        self._demo = demo

    def genuine(self, answer: Answer) -> Answer:
        """The answer to a request that only the panel's own page can make."""

        async def answer_genuine(request: Request) -> Response:
            self._desk.require_genuine(request)
            return await answer(request)

        return answering(answer_genuine)

    async def session(self, request: Request) -> Response:
        """Who is signed on here, and the token that changes are sent with."""
        session = self._desk.session(request)
        token = self._desk.sessions.visitor_token if session is None else session.token
        return told(
            {
                "level": 0 if session is None else int(session.signed_on.level),
                "reading_level": int(self._desk.level(request)),
                "levels": [int(level) for level in self._desk.meter.gate.levels],
                "token": token,
                "run": self._desk.sessions.run,
                "is_demo": self._demo is not None,
                "serial": self._desk.meter.config.serial,
            }
        )

    async def sign_on(self, request: Request) -> Response:
        """Let in who has a level's password; what the gate decides is durable before it is told."""
        given = await body_of(request)
        level, password = given.get("level"), given.get("password")
        if type(level) is not int or level not in PASSWORD_LEVELS:
            raise PanelRequestError("the level is 1, 2 or 3")
        if not isinstance(password, str) or not 1 <= len(password) <= _PASSWORD_MAX:
            raise PanelRequestError(f"a password has 1 to {_PASSWORD_MAX} characters")
        if not password.isprintable():
            raise PanelRequestError("a password has characters that can be printed")
        meter = self._desk.meter
        port = LOCAL_PORT if is_local(request.scope) else REMOTE_PORT
        try:
            signed_on = meter.gate.sign_on_clear(port, password, (Level(level),), meter.now())
        except SignOnRefusedError:
            meter.durable()
            raise
        meter.durable()
        self._desk.sessions.end(request.cookies.get(COOKIE))
        name = self._desk.sessions.begin(signed_on)
        session = self._desk.sessions.find(name)
        assert session is not None, "it has just begun"
        response = told({"level": int(signed_on.level), "token": session.token})
        self._desk.set_cookie(response, name)
        return response

    async def sign_off(self, request: Request) -> Response:
        """End the session."""
        self._desk.sessions.end(request.cookies.get(COOKIE))
        response = told({"level": 0, "token": self._desk.sessions.visitor_token})
        response.delete_cookie(COOKIE, path="/")
        return response

    async def press(self, request: Request) -> Response:
        """Press the meter's button; who is not at this computer is not at the meter."""
        self._desk.require_reader(request)
        given = await body_of(request)
        held_ms: Any = given.get("held_ms", 0)
        if not isinstance(held_ms, int) or not 0 <= held_ms <= HELD_MAX_MS:
            raise PanelRequestError(f"a button is held for 0 to {HELD_MAX_MS} ms")
        self._desk.meter.press(held_ms=held_ms)
        self._live.hurry()
        return told({})

    async def order(self, request: Request) -> Response:
        """Carry out an order at the level of who signed on."""
        session = self._desk.require_session(request)
        reply = self._desk.meter.order(await body_of(request), session.signed_on)
        self._live.hurry()
        return told(reply)

    async def pair(self, request: Request) -> Response:
        """Take a step of a pairing."""
        session = self._desk.require_session(request)
        reply = self._desk.meter.pair(await body_of(request), session.signed_on)
        self._live.hurry()
        return told(reply)

    async def steer(self, request: Request) -> Response:
        """Change the simulated house; it is a toy, and takes no password."""
        assert self._demo is not None, "there is no route without a demo"
        if not is_local(request.scope):
            self._desk.require_session(request)
        self._demo.steer(await body_of(request))
        self._live.hurry()
        return told(self._demo.status())
