from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from elec_meter import Meter, Storage
from elec_meter.config import PushConfig, demo_config
from elec_meter.demo.credentials import dlms_clients
from elec_meter.dlms.instants import encode_date_time
from elec_meter.runtime import Runtime
from shared.obis import Obis
from tests.elec_meter.dlms.asking import PASSWORD, READER
from tests.elec_meter.dlms.test_push import told
from tests.elec_meter.ports.test_push import free_port
from tests.elec_meter.test_dlms_service import NOON, asker_of, rights_of, service_of


def test_a_running_meter_pushes_what_a_head_end_missed(tmp_path: Path) -> None:
    """It was away while two half-hours closed; after a restart none of them comes again."""
    heard: list[bytes] = []

    async def head_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async def run(storage: Storage, now: list[datetime], port: int, *, listens: bool) -> None:
        push = PushConfig(destination=f"127.0.0.1:{port}", look_every_s=1, delay_s=1)
        meter = Meter(replace(demo_config(), push=push), storage, now[0])
        clients = dlms_clients()
        async with Runtime(meter, lambda: now[0], dlms_clients=clients) as runtime:
            for _ in range(3):
                now[0] += timedelta(minutes=19)
                runtime.durable()
                await asyncio.sleep(0.05)
            if not listens:
                return
            server = await asyncio.start_server(head_end, "127.0.0.1", port)
            async with asyncio.timeout(20):
                while not heard:
                    now[0] += timedelta(seconds=2)
                    await asyncio.sleep(0.05)
            server.close()

    now, port = [NOON], free_port()
    for listens in (False, True):
        with Storage.open(tmp_path) as storage:
            asyncio.run(run(storage, now, port, listens=listens))
    _, rows, _ = told(heard[0])
    ends = [NOON + timedelta(minutes=30 * n) for n in (1, 2, 3)]
    assert len(ends) == len(rows)
    assert encode_date_time(ends[0]) == bytes(rows[0][0])
    with Storage.open(tmp_path) as storage:
        config = storage.load_config()
        assert config is not None
        service = service_of(Meter(config, storage, now[0]))
        assert b"" == service.push().message(now[0])
        reader = asker_of(service, READER)
        reader.open(1, PASSWORD)
        assert Obis.parse("0-0:25.9.0") in rights_of(reader)
