"""Command line of the sandbox CRM; it runs in the foreground until SIGTERM or SIGINT."""

import argparse

import uvicorn

from sandbox.crm.app import DEFAULT_TOKEN, create_app
from sandbox.crm.faults import ClosableProtocol


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.crm", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database-url", required=True, help="PostgreSQL; the schema `crm` is created there")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--token", default=DEFAULT_TOKEN, help="the access token that callers must send")
    given = parser.parse_args()
    uvicorn.run(
        create_app(given.database_url, token=given.token),
        host=given.host,
        port=given.port,
        http=ClosableProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
