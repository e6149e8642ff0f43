"""Who wan_tcp speaks to is known by certificate, whichever side called."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from elec_meter.addons.settings import Settings
from elec_meter.addons.wan_settings import WanSettings
from elec_meter.addons.wan_tcp import Pace, Wan
from tests.certificates import self_signed
from tests.elec_meter.addons.head_end import FastPace, HeadEnd, WiredMeter, dropped, until
from tests.elec_meter.addons.test_wan_tcp import ends, played
from tests.elec_meter.flag.lines import SIGN_ON


def test_half_hours_are_forwarded_under_tls(tmp_path: Path) -> None:
    """To the one whose certificate is trusted, and to nobody else."""
    pem, key, _ = self_signed(tmp_path, "head-end")
    other, *_ = self_signed(tmp_path, "other")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pem, key)

    async def play(trusted: Path) -> tuple[HeadEnd, list[str]]:
        head_end = await HeadEnd().start(server)
        meter, fast = WiredMeter(), FastPace()
        values = {"state_file": str(tmp_path / "state"), "ca_file": str(trusted)}
        push = {"push": f"127.0.0.1:{head_end.port}"}
        settings = WanSettings.of(Settings({**values, **push}))
        async with asyncio.timeout(60), meter.line() as line:
            wan = Wan(line, settings, Pace(fast.sleep))
            task = asyncio.create_task(wan.run())
            await meter.live(wan, 1.1)
            await until(lambda: head_end.rows or meter.said, task)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await head_end.stop()
        return head_end, meter.said

    distrusted, said = asyncio.run(play(other))
    assert [] == distrusted.rows
    assert "certificate verify failed" in said[0].lower()
    assert ends(1) == asyncio.run(play(pem))[0].rows


def test_who_has_no_certificate_that_is_trusted_reads_nothing(tmp_path: Path) -> None:
    """The module that listens takes its head end's alone: not nobody's, and not another's."""
    own, head_end, other = (self_signed(tmp_path, name) for name in ("own", "head", "other"))
    told = {"certificate_file": str(own.both), "ca_file": str(head_end.certificate)}

    async def heard(host: str, port: int, shown: Path | None) -> bytes:
        tls = ssl.create_default_context(cafile=own.certificate)
        if shown is not None:
            tls.load_cert_chain(shown)
        with suppress(OSError):  # ssl.SSLError is one too
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            writer.write(SIGN_ON)
            try:
                return await reader.readline()
            finally:
                await dropped(writer)
        return b""

    async def talk(meter, wan, task, fast) -> None:
        await until(lambda: meter.said, task)
        host, port = meter.said[0].removeprefix("listens on ").split(":")
        assert b"" == await heard(host, int(port), None)
        assert b"" == await heard(host, int(port), other.both)
        assert b"/HHY6\\2HALFHOURLY\r\n" == await heard(host, int(port), head_end.both)
        asked = meter.asked
        await until(lambda: meter.asked > asked, task)

    played(talk, listen="127.0.0.1:0", tls="on", **told)
