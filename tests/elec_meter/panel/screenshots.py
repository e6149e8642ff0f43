"""Pictures of the panel for its page in the documentation: `make screenshots`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser

from tests.elec_meter.panel.browsing import chromium, looking

PICTURES: Final = Path(__file__).parents[3] / "docs" / "pictures"
LISTENING: Final = re.compile(r"panel listens on (http://\S+)")
PAST: Final = ("--speed", "0", "--start", "2026-10-23T23:00:00Z", "--for", "60h")


def main() -> None:
    """Days of the demo's house, with a day of 50 half-hours, on a desk and on a phone."""
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as home:
        subprocess.run([*_demo(home), *PAST, "--json"], check=True, stdout=subprocess.DEVNULL)
        with _running(home) as url, chromium() as browser:
            _picture(browser, url, "panel-top.png", width=1200, height=1360, scheme="light")
            _picture(browser, url, "panel.png", width=1200, height=2600, scheme="light")
            _picture(browser, url, "panel-phone.png", width=360, height=2000, scheme="dark")


def _demo(home: str) -> list[str]:
    return [sys.executable, "-m", "elec_meter", "demo", "--data", home]


@contextmanager
def _running(home: str) -> Iterator[str]:
    ports = [word for name in ("panel", "flag", "dlms") for word in (f"--{name}", "127.0.0.1:0")]
    command = [*_demo(home), *ports, "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr.readline, "")
            yield next(filter(None, (LISTENING.search(line) for line in lines)))[1]
        finally:
            process.kill()


def _picture(
    browser: Browser, url: str, name: str, *, width: int, height: int, scheme: str
) -> None:
    viewport = {"width": width, "height": height}
    how = {"viewport": viewport, "color_scheme": scheme, "locale": "en-GB"}
    with looking(browser, f"{url}/", **how) as page:
        page.get_by_label("Day", exact=True).fill("2026-10-25")
        page.get_by_label("Day", exact=True).blur()
        page.locator("#day-charts .import .bars rect").nth(49).wait_for(state="attached")
        page.wait_for_timeout(3_000)
        page.screenshot(path=PICTURES / name)


if __name__ == "__main__":
    main()
