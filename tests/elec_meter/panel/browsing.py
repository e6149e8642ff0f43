"""A panel that is served in a thread of its own, and Debian's Chromium to look at it."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from elec_meter.panel import PanelServer
from tests.elec_meter.panel.standing import Standing

PATIENCE_MS: Final = 60_000
"""For whatever the page is to show."""

T = TypeVar("T")


class Served:
    """A standing meter behind a real port; `do` reaches it in the thread that owns it.

    Attributes:
        url: of its page.
        standing: the meter.
        server: what serves it.
    """

    def __init__(self, build: Callable[[], Standing]) -> None:
        self._build = build
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        self._ready.wait(60)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leave = asyncio.Event()
        self.standing = self._build()
        self.server = server = await PanelServer.start(self.standing.panel, "127.0.0.1", 0)
        self.url = "http://{}:{}/".format(*server.address)
        self._ready.set()
        await self._leave.wait()
        await server.close()

    def do(self, work: Callable[[Standing], T]) -> T:
        """Do something to the meter."""

        async def work_there() -> T:
            return work(self.standing)

        return asyncio.run_coroutine_threadsafe(work_there(), self._loop).result(30)

    def close(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(30)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Without one the tests fail: `make test` installs it."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("there is no chromium: tests/debian-packages.sh installs it", pytrace=False)
    expect.set_options(timeout=PATIENCE_MS)  # a busy machine is no failure
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu"],
            # Fields for dates are written as this language does, whatever a page's locale is.
            env={**os.environ, "LANGUAGE": "en_GB", "LANG": "en_GB.UTF-8"},
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def looking(browser: Browser, url: str, **how: Any) -> Iterator[Page]:
    """A page that is live; what its scripts or policies complain of fails the test."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **how})
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    page.set_default_timeout(PATIENCE_MS)
    try:
        page.goto(url)
        yield page
        assert [] == complaints
        assert {url.split("/")[2]} == hosts
    finally:
        context.close()
