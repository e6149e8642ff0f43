"""What is common to all answers: who asks, what they may, and how a refusal is told."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from elec_meter.access import Level, LevelLockedError, SignOnRefusedError
from elec_meter.errors import CheckpointFailedError, MeterError, NotAllowedError
from elec_meter.objects import UnknownObjectError
from shared.exact_json import exact_json

from .errors import ForgeryError, NotSignedOnError, PanelRequestError
from .guard import is_local
from .meter import PanelMeter
from .sessions import Session, Sessions, reading_level

COOKIE: Final = "halfhourly"
TOKEN_HEADER: Final = "x-csrf-token"
BODY_MAX: Final = 262_144
"""Bytes of a request's body; a whole configuration has a few thousand."""

BODY_S: Final = 10
"""How long it may take to come."""

_METHOD_NOT_ALLOWED: Final = 405

LOCAL_PORT: Final = "panel"
REMOTE_PORT: Final = "panel network"

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]

_STATUS: Final[tuple[tuple[type[MeterError], int], ...]] = (
    (SignOnRefusedError, 401),
    (LevelLockedError, 429),
    (NotSignedOnError, 401),
    (ForgeryError, 403),
    (NotAllowedError, 403),
    (UnknownObjectError, 404),
    (PanelRequestError, 400),
    (CheckpointFailedError, 503),
    (MeterError, 409),
)


class Desk:
    """Answers for a meter, with the sessions of those who signed on.

    Args:
        meter: whom it answers for.
        is_encrypted: whether requests come through TLS.
    """

    def __init__(self, meter: PanelMeter, *, is_encrypted: bool) -> None:
        self.meter = meter
        self.sessions = Sessions(time.monotonic, secrets.token_bytes)
        self._is_encrypted = is_encrypted

    def session(self, request: Request) -> Session | None:
        """Who signed on where this request comes from; None if nobody did."""
        return self.sessions.find(request.cookies.get(COOKIE))

    def level(self, request: Request) -> Level:
        """What may be read where this request comes from."""
        return reading_level(self.session(request), is_local=is_local(request.scope))

    def require_reader(self, request: Request) -> None:
        """Refuse who may not see how a household lives.

        Raises:
            NotSignedOnError: they must sign on first.
        """
        if self.level(request) < Level.READER:
            raise NotSignedOnError("half-hours and what follows from them take level 1: sign on")

    def still_reads(self, request: Request) -> bool:
        """Whether who once asked for a stream may see it still; their session ends no later."""
        session = self.sessions.peek(request.cookies.get(COOKIE))
        return reading_level(session, is_local=is_local(request.scope)) >= Level.READER

    def require_session(self, request: Request) -> Session:
        """Refuse who has not signed on.

        Raises:
            NotSignedOnError: they must.
        """
        session = self.session(request)
        if session is None:
            raise NotSignedOnError("this takes a level and its password: sign on")
        return session

    def require_genuine(self, request: Request) -> None:
        """Refuse a change that no page of the panel asked for.

        Raises:
            NotSignedOnError: who asked for it was signed on, and is no more.
            ForgeryError: it was another site's, or a program's that does not send the token.
        """
        site = request.headers.get("sec-fetch-site", "same-origin")
        session, token = self.session(request), request.headers.get(TOKEN_HEADER)
        if site == "same-origin" and self.sessions.is_genuine(session, token):
            return
        if site == "same-origin" and token and session is None and request.cookies.get(COOKIE):
            raise NotSignedOnError("the sign-on has ended: sign on again")
        raise ForgeryError("the request does not come from the meter's own page: load it again")

    def set_cookie(self, response: Response, name: str) -> None:
        """Let the browser keep a session's name, for this page alone."""
        response.set_cookie(
            COOKIE, name, httponly=True, samesite="strict", secure=self._is_encrypted, path="/"
        )


def told(rows: Any, status: int = 200) -> Response:
    """Rows as JSON, every digit of them."""
    return Response(exact_json(rows), status, media_type="application/json")


def answering(answer: Answer) -> Answer:
    """The same answer, with every refusal told in one sentence."""

    async def answer_or_refuse(request: Request) -> Response:
        try:
            return await answer(request)
        except MeterError as error:
            status = next(code for kind, code in _STATUS if isinstance(error, kind))
            return told({"error": str(error), "kind": type(error).__name__}, status)

    return answer_or_refuse


async def refusal_of_path(request: Request, error: Exception) -> Response:
    """What is told of a path that leads nowhere, or not by that method: below /api as JSON."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    if not request.scope["path"].startswith("/api/"):
        return PlainTextResponse(error.detail, status, error.headers)
    sentence = "there is nothing by that path"
    if status == _METHOD_NOT_ALLOWED:
        sentence = f"what is there takes no {request.method}"
    response = told({"error": sentence, "kind": PanelRequestError.__name__}, status)
    response.headers.update(error.headers or {})
    return response


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that a request carries.

    Raises:
        PanelRequestError: it carries something else, or too much.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise PanelRequestError("a request carries a JSON object, as application/json")
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_MAX:
                    raise PanelRequestError(f"a request carries at most {BODY_MAX} bytes")
    except (TimeoutError, ClientDisconnect):
        raise PanelRequestError(f"the request did not come within {BODY_S} s") from None
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise PanelRequestError("the request is no JSON") from None
    if not isinstance(given, dict):
        raise PanelRequestError("a request carries a JSON object")
    return given


def day_of(request: Request, name: str = "date") -> date | None:
    """The date that a query names; None if it names none.

    Raises:
        PanelRequestError: it is no date of this and the next centuries.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        day = date.fromisoformat(text if len(text) == len("2026-01-01") else "")
    except ValueError:
        raise PanelRequestError(f"{text[:20]!r} is no date such as 2026-01-31") from None
    if not 1970 < day.year < 2100:
        raise PanelRequestError(f"there is nothing in the year {day.year}")
    return day
