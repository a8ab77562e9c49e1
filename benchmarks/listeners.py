"""Many open streams in a process of their own, as light as a client can be.

    python -m benchmarks.listeners ADDRESS FILE_OF_TOKENS

Opens a stream for each line of the file and says so. Each line on stdin begins the record anew; when stdin ends, it
prints for every order heard of since then how long after its `at` each listener had it, in milliseconds.
"""

import asyncio
import json
import sys
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

AT_ONCE = 64  # streams that are being opened at a time
PATIENCE = 30  # seconds for one to open
REQUEST = "GET /api/v1/staff/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n"


class Stream(asyncio.Protocol):
    """One of them. What it hears is only noted now, and read when the measurement is over."""

    def __init__(self, token: str, heard: list, lost: list):
        self.token, self.heard, self.lost = token, heard, lost
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.write(REQUEST.format(self.token).encode())

    def data_received(self, data):
        if self.opened.done():
            self.heard.append((time.time(), data))
        elif data.startswith(b"HTTP/1.1 200 "):
            self.opened.set_result(None)
        else:
            self.opened.set_exception(RuntimeError(data.decode(errors="replace")))

    def connection_lost(self, error):
        self.lost.append(error)


async def listen(address: str, tokens: list[str]):
    heard, lost, gate = [], [], asyncio.Semaphore(AT_ONCE)
    loop, at = asyncio.get_running_loop(), urlsplit(address)

    async def open_one(token):
        async with gate:
            _, stream = await loop.create_connection(lambda: Stream(token, heard, lost), at.hostname, at.port)
            await asyncio.wait_for(stream.opened, PATIENCE)

    began = time.monotonic()
    await asyncio.gather(*map(open_one, tokens))
    print(f"{time.monotonic() - began:.1f}", flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        heard.clear()
    print(json.dumps({"lost": len(lost), "delays": delays(heard)}))


def delays(heard) -> list[list[float]]:
    """For each order the milliseconds from its `at` to each listener."""
    found = defaultdict(list)
    for moment, data in heard:
        for line in data.splitlines():
            if line.startswith(b"data: ") and b'"order.placed"' in line:
                event = json.loads(line.removeprefix(b"data: "))
                found[event["store"], event["number"]].append(1000 * (moment - datetime.fromisoformat(event["at"]).timestamp()))
    return [sorted(found[event]) for event in sorted(found)]


if __name__ == "__main__":
    uvloop.run(listen(sys.argv[1], Path(sys.argv[2]).read_text().split()))
