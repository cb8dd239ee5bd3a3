"""A worker that is killed right after its batch was made: `python die_after_making.py <warehouse> <server> <vendor>`."""

import os
import signal
import sys
from typing import Any

import psycopg
from batch_night import BatchNight, Wrapped

from nurture.policy import load_policy
from sandbox.model import RunningModel


class DiesAfterMaking(Wrapped):
    async def submit(self, *arguments: Any) -> str:
        await self._vendor.submit(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


if __name__ == "__main__":
    warehouse_url, root, vendor = sys.argv[1:]
    with psycopg.connect(warehouse_url) as connection:
        BatchNight(connection, RunningModel(root), load_policy().llm, vendor).attempt(wrap=DiesAfterMaking)
