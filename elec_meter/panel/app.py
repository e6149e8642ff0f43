"""The panel as an ASGI application: the page, the live stream and the JSON API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from elec_meter.config import config_to_toml
from elec_meter.config.shape import plain
from elec_meter.errors import MeterError
from shared.exact_json import exact_json

from . import profile, views
from .changes import change_routes
from .desk import Answer, Desk, answering, day_of, refusal_of_path, told
from .errors import PanelRequestError
from .guard import Guard
from .live import face, snapshot
from .meter import HouseControls, PanelMeter
from .month import month_rows
from .pages import page_routes
from .stream import LiveStream, event
from .use import use_rows

_BUSY: Final = 503


class Panel:
    """The panel of a meter.

    Args:
        meter: the running meter.
        names: host names by which it is asked for.
        demo: controls of a simulated house; None for a real one.
        is_encrypted: whether requests come through TLS.

    Attributes:
        app: what a server serves.
        live: the live stream, to be run beside it.
    """

    def __init__(
        self,
        meter: PanelMeter,
        names: Iterable[str],
        *,
        demo: HouseControls | None = None,
        is_encrypted: bool = False,
    ) -> None:
        self._meter = meter
        self._demo = demo
        self._desk = Desk(meter, is_encrypted=is_encrypted)
        self.live = LiveStream(self._frame)
        routes = [
            *page_routes(),
            *self._reading(),
            Route("/api/live", _Stream(self._desk, self.live)),
        ]
        routes += change_routes(self._desk, self.live, demo)
        self.app: ASGIApp = Guard(
            Starlette(routes=routes, exception_handlers={HTTPException: refusal_of_path}), names
        )

    def _reading(self) -> list[Route]:
        meter = self._meter

        def month(request: Request) -> Any:
            return month_rows(meter.directory, meter.config, _month(request))

        def units(_: Request) -> Any:
            return views.units(meter.directory, meter.config)

        def day(request: Request) -> Any:
            return profile.day_rows(meter.directory, meter.config, day_of(request))

        def chart(request: Request) -> Any:
            return profile.day_chart(meter.directory, meter.config, day_of(request))

        def one(request: Request) -> Any:
            return self._object(request)

        def config(_: Request) -> Any:
            return {"toml": config_to_toml(meter.config), "config": plain(meter.config)}

        reader_views: dict[str, Callable[[Request], Any]] = {
            "profile": day,
            "day": chart,
            "month": month,
            "demand": lambda _: views.demand(meter.directory),
            "events": lambda request: views.events(meter.directory, day_of(request)),
            "cost": lambda _: views.cost(meter.directory, meter.config),
            "use": lambda _: use_rows(meter.directory, meter.config),
            "units": units,
            "display": lambda _: [face(meter)],
            "config": config,
        }
        open_views: dict[str, Callable[[Request], Any]] = {
            "clock": lambda _: views.clock(meter.directory),
            "registers": lambda r: views.registers(meter.directory, self._desk.level(r)),
            "objects": lambda r: views.object_rows(meter.directory, self._desk.level(r)),
            "objects/{obis}": one,
        }
        return [
            Route(f"/api/{name}", self._view(view, is_personal=name in reader_views))
            for name, view in (reader_views | open_views).items()
        ]

    def _view(self, view: Callable[[Request], Any], *, is_personal: bool) -> Answer:
        async def answer(request: Request) -> Response:
            if is_personal:
                self._desk.require_reader(request)
            self._meter.durable()
            return told(view(request))

        return answering(answer)

    def _object(self, request: Request) -> Any:
        directory = self._meter.directory
        each = directory[request.path_params["obis"]]
        rows = {row["obis"]: row for row in views.object_rows(directory, self._desk.level(request))}
        row = rows.get(str(each.obis))
        if row is None:
            raise PanelRequestError(f"{each.obis} is no single value that may be read here")
        return row

    def _frame(self) -> bytes:
        """The next event of the live stream; one that says why, while there can be none."""
        try:
            self._meter.durable()
            return event("snapshot", exact_json(snapshot(self._meter, self._demo)))
        except MeterError as error:
            return event("trouble", exact_json({"error": str(error)}))


class _Stream:
    """The live stream as an endpoint of its own, which is told when a client stalls."""

    def __init__(self, desk: Desk, live: LiveStream) -> None:
        self._desk = desk
        self._live = live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refusal = await answering(self._refusal)(request)
        if refusal.status_code != 200:
            await refusal(scope, receive, send)
            return
        await self._live.serve(receive, send, lambda: self._desk.still_reads(request))

    async def _refusal(self, request: Request) -> Response:
        self._desk.require_reader(request)
        if self._live.is_full:
            return told({"error": "too many pages are open at once"}, _BUSY)
        return Response()


def _month(request: Request) -> date:
    text = request.query_params.get("month", "")
    try:
        first = date.fromisoformat(f"{text}-01" if len(text) == len("2026-01") else "")
    except ValueError:
        raise PanelRequestError(f"{text[:20]!r} is no month such as 2026-01") from None
    if not 1970 < first.year < 2100:
        raise PanelRequestError(f"there is nothing in the year {first.year}")
    return first
