"""A warehouse that is emptied, not made anew, between small tests of GA4 rows."""

from collections.abc import Iterator

import psycopg
import pytest

from demo.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def database(postgres: EmbeddedPostgres) -> str:
    """One migrated database for the many small tests of GA4 rows."""
    postgres.create_database("ga4_shape", template="migrated")
    return postgres.url("ga4_shape")


@pytest.fixture
def warehouse(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE raw_ga4.events, staging.events, ops.load_log, ops.dead_letter, ops.dead_letter_retry")
        connection.commit()
        yield connection
