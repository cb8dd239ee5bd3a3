"""SQL files of `include/sql`, read once."""

from functools import cache

from nurture.errors import ConfigError
from nurture.paths import SQL


@cache
def statement(name: str) -> bytes:
    """The text of `include/sql/<name>`, as psycopg takes it.

    Raises:
        ConfigError: there is no such file.
    """
    path = SQL / name
    if not path.is_file():
        raise ConfigError(f"{path}: no such SQL file; put it there or correct the name")
    return path.read_bytes()
