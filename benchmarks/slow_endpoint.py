"""A model endpoint that always takes the same time and costs next to nothing to serve: it answers out of memory.

`python -m benchmarks.slow_endpoint --port 8902 --latency-ms 300`. A request's first answer is written by the sandbox's
writer (sandbox/model), byte for byte as its server would; the same request again is answered from memory. No limits, no
store, no framework: whoever measures a client against it measures the client. `running()` starts one as a process.
"""

import argparse
import asyncio
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from demo.postgres import free_port
from sandbox.model import protocol
from sandbox.model.writer import write

PROJECT = Path(__file__).resolve().parents[1]
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Endpoint:
    """The answers, and how many were given."""

    def __init__(self, latency_ms: float) -> None:
        self.latency = latency_ms / 1000
        self.answered = 0
        self._answers: dict[bytes, bytes] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other, until it closes."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET "):
                    writer.write(_response(json.dumps({"answered": self.answered}).encode()))
                    continue
                length = LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                began = time.perf_counter()
                answer = self._answer(body)
                await asyncio.sleep(self.latency - (time.perf_counter() - began))
                self.answered += 1
                writer.write(answer)
        writer.close()

    def _answer(self, body: bytes) -> bytes:
        key = hashlib.sha256(body).digest()
        if key not in self._answers:
            request = protocol.parse(body)
            content, _ = protocol.completion(request, json.dumps(write(request), ensure_ascii=False))
            self._answers[key] = _response(json.dumps(content).encode())
        return self._answers[key]


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def running(*, latency_ms: float) -> Iterator[str]:
    """Start an endpoint on a free port, give its root URL, and stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.slow_endpoint", "--port", str(port), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/", timeout=2)
                break
            time.sleep(0.05)
        else:
            raise RuntimeError("benchmarks.slow_endpoint did not answer within 30 s")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


async def _main(port: int, latency_ms: float) -> None:
    # One client opens all its connections at once.
    server = await asyncio.start_server(Endpoint(latency_ms).serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, default=300)
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(given.port, given.latency_ms))


if __name__ == "__main__":
    main()
