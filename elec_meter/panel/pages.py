"""The page and what belongs to it, read once: no request names a file of this computer."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_INDEX: Final = "index.html"


def page_routes() -> list[Route]:
    """A route for each file of the page."""
    routes = []
    for each in sorted(files(__package__).joinpath("static").iterdir(), key=lambda file: file.name):
        suffix = "." + each.name.rpartition(".")[2]
        if suffix in _TYPES:
            path = "/" if each.name == _INDEX else f"/{each.name}"
            routes.append(_route(path, each.read_bytes(), _TYPES[suffix]))
    return routes


def _route(path: str, content: bytes, media_type: str) -> Route:
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def answer(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)

    return Route(path, answer, methods=["GET"])
