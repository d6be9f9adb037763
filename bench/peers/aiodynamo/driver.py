# SPDX-License-Identifier: BSL-1.0
"""The measured loop over aiodynamo with aiohttp, the quicker of its two HTTP clients, on uvloop: a
task a lane, a connection for each."""
import sys
from importlib.metadata import version
from pathlib import Path

import aiohttp
import uvloop
from aiodynamo.client import Client
from aiodynamo.credentials import Credentials
from aiodynamo.http.aiohttp import AIOHTTP
from yarl import URL

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import meter  # noqa: E402


async def main(options, loop):
    connector = aiohttp.TCPConnector(limit=options.concurrency)
    async with aiohttp.ClientSession(connector=connector) as session:
        client = Client(AIOHTTP(session), Credentials.auto(), "us-east-1", URL(options.endpoint))
        table = client.table(options.table)

        async def get():
            return (await table.get_item({"key": options.key}))["value"]

        await loop.run_tasks(get)


loop = meter.Loop(meter.arguments())
uvloop.run(main(loop.options, loop))
sys.exit(loop.report(", ".join(f"{name} {version(name)}"
                               for name in ("aiodynamo", "aiohttp", "uvloop"))))
