"""What staging makes of one GA4 event."""

from typing import Any

import psycopg
import pytest
from ga4_day import DAY, load, one

from tests.ga4_fixtures import event, param


def staged(warehouse: psycopg.Connection, columns: str, **row: Any) -> Any:
    load(warehouse, [event(DAY, **row)])
    return one(warehouse, f"SELECT {columns} FROM staging.events")


@pytest.mark.parametrize(("value", "expected"), [("1", True), (1, True), ("0", False), (0, False), ("", None), (None, None)])
def test_session_engaged_is_read_from_text_and_from_numbers(
    warehouse: psycopg.Connection, value: str | int | None, expected: bool | None
) -> None:
    assert staged(warehouse, "is_session_engaged", event_params=[param("session_engaged", value)]) is expected


def test_parameters_become_columns(warehouse: psycopg.Connection) -> None:
    given = [
        param("ga_session_id", 77), param("page_location", "https://a.example/x"), param("page_title", "A"),
        param("form_id", 5),
        param("source", "mail"), param("medium", "email"), param("campaign", "spring"), param("transaction_id", "T1"),
        param("value", 12.5), param("currency", "EUR"), param("empty", None),
    ]  # fmt: skip
    columns = "session_id, page_location, page_title, form_id, source, medium, campaign, transaction_id, cart_value::text"

    found = staged(warehouse, columns, event_params=given)

    assert found == ("77", "https://a.example/x", "A", "5", "mail", "email", "spring", "T1", "12.5")
    assert one(warehouse, "SELECT currency FROM staging.events") == "EUR"


def test_the_source_falls_back_to_the_click_and_then_to_the_first_visit(warehouse: psycopg.Connection) -> None:
    found = staged(
        warehouse, "source, medium, campaign", event_params=[param("source", "event")],
        collected_traffic_source={"manual_source": "click", "manual_medium": "click", "manual_campaign_name": None},
        traffic_source={"source": "first", "medium": "first", "name": "first"},
    )  # fmt: skip

    assert found == ("event", "click", "first")


def test_a_transaction_id_that_is_not_set_is_none(warehouse: psycopg.Connection) -> None:
    row = {"event_params": [param("transaction_id", "(not set)")], "ecommerce": {"transaction_id": "(not set)"}}

    assert staged(warehouse, "transaction_id", **row) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12.50", "12.50"), (7, "7"), (1e22, "10000000000000000000000"), ("12,50", None), ("9" * 999, None)],
)
def test_a_value_is_a_number_or_nothing(warehouse: psycopg.Connection, value: Any, expected: str | None) -> None:
    assert staged(warehouse, "cart_value::text", event_params=[param("value", value)]) == expected


def test_the_first_item_and_the_country_become_columns(warehouse: psycopg.Connection) -> None:
    found = staged(
        warehouse, "product_id, product_name, product_price::text, country",
        items=[{"item_id": "LF-SCAN", "item_name": "(not set)", "price": 349.0}, {"item_id": "other"}],
        geo={"country": "Germany"},
    )  # fmt: skip

    assert found == ("LF-SCAN", None, "349.0", "Germany")
