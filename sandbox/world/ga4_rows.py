"""Rows of GA4's BigQuery export (its schema of 2026), as JSON-ready dicts; NULL struct members are left out."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sandbox.world.places import Place
from sandbox.world.sessions import SITE, Step
from sandbox.world.vocabulary import Product

STREAM_ID = "2100450278"
PRIVACY_INFO = {"ads_storage": "Yes", "analytics_storage": "Yes", "uses_transient_token": "No"}
NO_REVENUE_YET = {"revenue": 0.0, "currency": "USD"}
Row = dict[str, Any]


@dataclass(frozen=True)
class Browser:
    """What GA4 knows of a visitor apart from events. The dicts are shared by all rows of the visitor."""

    pseudo_id: str
    first_touch: datetime
    place: Place
    device: dict[str, Any]
    geo: dict[str, Any]
    traffic_source: dict[str, str]
    tier: str | None


def make_browser(place: Place, source: tuple[str, str], tier: str | None, first_on: date, rng: random.Random) -> Browser:
    """A visitor who first came on `first_on`."""
    category, system, browser = rng.choice(
        (("desktop", "Windows", "Chrome"), ("desktop", "Macintosh", "Safari"), ("mobile", "iOS", "Safari"),
         ("mobile", "Android", "Chrome"), ("desktop", "Windows", "Edge"))
    )  # fmt: skip
    first = session_start(first_on, place, rng)
    return Browser(
        pseudo_id=f"{rng.randrange(10**8, 2 * 10**9)}.{int(first.timestamp())}",
        first_touch=first,
        place=place,
        device={
            "category": category, "operating_system": system, "language": "en-us", "is_limited_ad_tracking": "No",
            "web_info": {"browser": browser, "browser_version": "142.0", "hostname": SITE.removeprefix("https://")},
        },
        geo={"continent": place.continent, "country": place.country_name, "region": place.region_name, "city": place.city},
        traffic_source={"name": f"({source[1].strip('()')})", "source": source[0], "medium": source[1]},
        tier=tier,
    )  # fmt: skip


def session_start(day: date, place: Place, rng: random.Random) -> datetime:
    """A moment of `day` (UTC, the property's zone) at which people in `place` are awake, an hour before midnight at most."""
    local = datetime.combine(day, time(0), place.zone) + timedelta(seconds=rng.triangular(6.5 * 3600, 22 * 3600, 11 * 3600))
    in_utc = local.astimezone(UTC)
    seconds = in_utc.hour * 3600 + in_utc.minute * 60 + in_utc.second
    return datetime.combine(day, time(0), UTC) + timedelta(seconds=min(seconds, 23 * 3600))


def session_rows(
    steps: list[Step], *, start: datetime, browser: Browser, user_id: str | None, known_from: int, rng: random.Random
) -> list[Row]:  # fmt: skip
    """The rows of one session. From its step number `known_from` on they carry `user_id`.

    What is the same in all rows is one object shared by them: change a copy.
    """
    session_id = int(start.timestamp())
    first_touch = int(browser.first_touch.timestamp()) * 1_000_000
    number = 1 if start == browser.first_touch else rng.randint(2, 30)
    # Both forms occur in real exports.
    engaged: dict[str, Any] = rng.choice(
        ({"string_value": "1"}, {"string_value": "1"}, {"string_value": "1"}, {"int_value": 1})
    )
    of_session = [
        _param("ga_session_id", session_id),
        _param("ga_session_number", number),
        {"key": "session_engaged", "value": engaged},
    ]
    collected_source = {f"manual_{key}": browser.traffic_source[key] for key in ("source", "medium")}
    user_properties = _user_properties(browser, first_touch)
    event_date = f"{start:%Y%m%d}"
    rows: list[Row] = []
    at = start
    previous = None
    for position, step in enumerate(steps):
        micros = int(at.timestamp()) * 1_000_000 + rng.randrange(1_000_000)
        engagement = rng.randint(500, 60_000) if position > 1 else 0
        params = [
            *of_session,
            _param("page_location", SITE + step.path), _param("page_title", step.title),
            *([_param("engagement_time_msec", engagement)] if engagement else []),
            *(_param(key, value) for key, value in step.params.items()),
            *([_param("value", float(step.value)), _param("currency", "USD")] if step.items else []),
        ]  # fmt: skip
        carries_id = user_id is not None and position >= known_from
        rows.append(
            {
                "event_date": event_date,
                "event_timestamp": micros,
                "event_name": step.event,
                "event_params": params,
                "event_previous_timestamp": previous,
                "event_value_in_usd": step.value or None,
                "event_bundle_sequence_id": rng.randrange(10**9),
                "event_server_timestamp_offset": rng.randrange(1000, 90_000),
                "user_id": user_id if carries_id else None,
                "user_pseudo_id": browser.pseudo_id,
                "privacy_info": PRIVACY_INFO,
                "user_properties": user_properties if carries_id else [],
                "user_first_touch_timestamp": first_touch,
                "user_ltv": NO_REVENUE_YET,
                "device": browser.device,
                "geo": browser.geo,
                "traffic_source": browser.traffic_source,
                "stream_id": STREAM_ID,
                "platform": "WEB",
                "ecommerce": _ecommerce(step),
                "items": [_item(product, quantity) for product, quantity in step.items],
                "collected_traffic_source": collected_source,
                "is_active_user": True,
                "batch_event_index": position + 1,
                "event_original_occurrence_timestamp": micros,
            }
        )  # fmt: skip
        previous = micros
        at += timedelta(seconds=rng.randint(2, 90))
    return rows


def _param(key: str, value: str | int | float) -> dict[str, Any]:
    kind = "string_value" if isinstance(value, str) else "double_value" if isinstance(value, float) else "int_value"
    return {"key": key, "value": {kind: value}}


def _user_properties(browser: Browser, micros: int) -> list[dict[str, Any]]:
    if browser.tier is None:
        return []
    return [{"key": "account_tier", "value": {"string_value": browser.tier, "set_timestamp_micros": micros}}]


def _item(product: Product, quantity: int) -> dict[str, Any]:
    price = product.price_usd
    return {
        "item_id": product.id, "item_name": product.name, "item_brand": "Larkfield", "item_category": product.category,
        "price_in_usd": float(price), "price": float(price), "quantity": quantity,
        "item_revenue_in_usd": float(price * quantity), "item_revenue": float(price * quantity),
    }  # fmt: skip


def _ecommerce(step: Step) -> dict[str, Any] | None:
    if step.transaction_id is None:
        return None
    return {
        "total_item_quantity": sum(quantity for _, quantity in step.items), "purchase_revenue_in_usd": float(step.value),
        "purchase_revenue": float(step.value), "unique_items": len(step.items), "transaction_id": step.transaction_id,
    }  # fmt: skip
