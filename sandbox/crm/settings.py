"""What an admin may set while the server runs; kept in `crm.settings`, so that it survives a restart."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sandbox.crm.database import Connection

Limit = Annotated[int, Field(gt=0)] | None


class Settings(BaseModel):
    """Limits and lags. A limit of None is no limit.

    Attributes:
        ten_secondly_limit: requests in any 10 s, search excepted (policy TEN_SECONDLY_ROLLING).
        search_secondly_limit: searches in any second (policy SECONDLY).
        daily_limit: requests between two midnights UTC (policy DAILY).
        sends_retry_after: whether a 429 carries `Retry-After`; the vendor's sometimes does not.
        search_lag_seconds: how long search shows a contact as it was before its last write.
    """

    model_config = ConfigDict(extra="forbid")

    ten_secondly_limit: Limit = 190
    search_secondly_limit: Limit = 5
    daily_limit: Limit = 500_000
    sends_retry_after: bool = True
    search_lag_seconds: Annotated[float, Field(ge=0)] = 0


async def load(connection: Connection) -> Settings:
    """The settings as last saved, defaults where nothing was."""
    rows = await (await connection.execute("SELECT name, value FROM crm.settings")).fetchall()
    known: dict[str, Any] = {str(row["name"]): row["value"] for row in rows if row["name"] in Settings.model_fields}
    return Settings(**known)


async def save(connection: Connection, settings: Settings) -> None:
    """Replace what is saved."""
    await connection.execute("DELETE FROM crm.settings")
    await connection.execute(
        "INSERT INTO crm.settings (name, value) SELECT key, value FROM jsonb_each(%s::jsonb)",
        (json.dumps(settings.model_dump()),),
    )
