"""Command line of the sandbox model server; it runs in the foreground until SIGTERM or SIGINT."""

import argparse

import uvicorn

from sandbox.model.app import Limits, create_app


def main() -> None:
    """Serve on 127.0.0.1."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.model", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database-url", required=True, help="PostgreSQL; the schema `model` is created there")
    parser.add_argument("--latency-ms", type=float, default=0, help="wait so long before each answer")
    parser.add_argument("--requests-per-minute", type=int, default=Limits().requests_per_minute)
    given = parser.parse_args()
    limits = Limits(requests_per_minute=given.requests_per_minute)
    app = create_app(given.database_url, limits=limits, latency_ms=given.latency_ms)
    # Logs at `critical`: uvicorn would report each connection closed on purpose as an error.
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="critical", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
