"""Quiet hours in the person's time zone: which zone it is, and the next moment outside of them."""

from datetime import UTC, datetime

import psycopg
import pytest

from contact_policy_night import apply, lead_night, list_as, quiet

NIGHT, NO_WEEKEND = ("21:00", "08:00"), ("21:00", "08:00", True)


def next_allowed(warehouse: psycopg.Connection, moment: str, zone: str, begin: str, end: str, weekend: bool = False) -> str:
    query = "SELECT ops.next_allowed(%s::timestamptz, %s, %s::time, %s::time, %s)"
    row = warehouse.execute(query, (moment, zone, begin, end, weekend)).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("moment", "zone", "hours", "expected"),
    [
        ("2026-11-20 12:00Z", "Europe/Berlin", NIGHT, "2026-11-20 12:00"),
        ("2026-11-20 20:00Z", "Europe/Berlin", NIGHT, "2026-11-21 07:00"),  # 21:00 there
        ("2026-11-20 19:59Z", "Europe/Berlin", NIGHT, "2026-11-20 19:59"),
        ("2026-11-21 06:59Z", "Europe/Berlin", NIGHT, "2026-11-21 07:00"),
        ("2026-11-21 07:00Z", "Europe/Berlin", NIGHT, "2026-11-21 07:00"),
        ("2026-11-21 02:00Z", "America/Los_Angeles", NIGHT, "2026-11-21 02:00"),  # 18:00 the day before
        ("2026-11-21 06:00Z", "America/Los_Angeles", NIGHT, "2026-11-21 16:00"),
        ("2026-11-20 16:00Z", "Asia/Kolkata", NIGHT, "2026-11-21 02:30"),
        # The clocks change during the quiet hours: 8 o'clock on the wall is another hour in UTC than the day before.
        ("2026-03-28 21:00Z", "Europe/Berlin", NIGHT, "2026-03-29 06:00"),
        ("2026-10-24 20:00Z", "Europe/Berlin", NIGHT, "2026-10-25 07:00"),
        ("2026-03-08 05:00Z", "America/New_York", NIGHT, "2026-03-08 12:00"),
        ("2026-03-29 00:30Z", "Europe/Berlin", ("01:00", "02:30"), "2026-03-29 01:30"),  # 02:30 is skipped: 03:30
        ("2026-11-20 12:30Z", "Etc/UTC", ("12:00", "14:00"), "2026-11-20 14:00"),  # a siesta
        ("2026-11-20 03:00Z", "Etc/UTC", ("08:00", "08:00"), "2026-11-20 03:00"),  # none
        # Friday, Saturday, Sunday
        ("2026-11-20 22:00Z", "Etc/UTC", NO_WEEKEND, "2026-11-23 08:00"),
        ("2026-11-21 12:00Z", "Etc/UTC", NO_WEEKEND, "2026-11-23 08:00"),
        ("2026-11-22 23:30Z", "Etc/UTC", NO_WEEKEND, "2026-11-23 08:00"),
        ("2026-11-20 12:00Z", "Etc/UTC", NO_WEEKEND, "2026-11-20 12:00"),
        ("2026-11-21 12:00Z", "Etc/UTC", ("08:00", "08:00", True), "2026-11-23 00:00"),
    ],
)  # fmt: skip
def test_the_next_allowed_moment_is_that_of_the_clock_on_the_persons_wall(
    warehouse: psycopg.Connection, moment: str, zone: str, hours: tuple[str, str], expected: str
) -> None:
    assert next_allowed(warehouse, moment, zone, *hours) == expected


@pytest.mark.parametrize(
    ("columns", "zone"),
    [
        ({"time_zone": "America/New_York", "region": "DE"}, "America/New_York"),
        ({"region": "DE"}, "Europe/Berlin"),
        ({"region": "US-CA"}, "America/Chicago"),  # several zones, one in policy
        ({"region": "RU", "consent_status": "granted"}, "Etc/UTC"),  # several zones, none in policy
        ({"region": None}, "Etc/UTC"),
    ],
)
def test_the_zone_is_the_contacts_else_the_countrys_else_the_default(
    warehouse: psycopg.Connection, columns: dict[str, str], zone: str
) -> None:
    lead_night(warehouse, "1", **columns)

    apply(warehouse)

    row = warehouse.execute("SELECT time_zone, send_after >= now() - interval '1 minute' FROM marts.audience").fetchone()
    assert row == (zone, True)


def test_everybody_who_may_be_written_to_has_a_moment_and_nobody_else(warehouse: psycopg.Connection) -> None:
    lead_night(warehouse, "1", "2")
    list_as(warehouse, "crm_id", "2")
    now = warehouse.execute("SELECT (now() AT TIME ZONE 'Europe/Berlin')::time(0)").fetchone()
    assert now is not None
    all_day = quiet(begin=now[0].strftime("%H:%M"), end=now[0].replace(hour=(now[0].hour + 2) % 24).strftime("%H:%M"))

    apply(warehouse, all_day)

    rows = warehouse.execute("SELECT crm_id, send_after > now() + interval '1 hour' FROM marts.audience ORDER BY 1")
    assert rows.fetchall() == [("1", True), ("2", None)]


@pytest.mark.parametrize(
    ("delivered", "zone"),
    [
        ("america_slash_new_york", "America/New_York"),
        ("america_slash_argentina_slash_buenos_aires", "America/Argentina/Buenos_Aires"),
        ("america_slash_port_hyphen_au_hyphen_prince", "America/Port-au-Prince"),
        ("us_slash_eastern", "US/Eastern"),
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe_slash_berlin ", "Europe/Berlin"),
        ("utc", "UTC"),
        ("mars_slash_olympus", None),
        ("; DROP TABLE", None),
    ],
)
def test_a_time_zone_is_read_however_the_crm_writes_it(
    warehouse: psycopg.Connection, delivered: str, zone: str | None
) -> None:
    row = warehouse.execute(
        "SELECT zone, now() AT TIME ZONE zone IS NOT NULL FROM staging.time_zone WHERE slug = lower(btrim(%s))", (delivered,)
    ).fetchone()

    assert row == ((zone, True) if zone else None)
