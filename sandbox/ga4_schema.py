"""The columns of the GA4 BigQuery export as of 2026, and how a table's own rows change them.

A structure says what a JSON value looks like: a type name, a dict of fields (RECORD) or a list of one (REPEATED).
"""

from typing import Any

Structure = Any  # "STRING" | {name: Structure} | [Structure]


def _strings(names: str) -> dict[str, Structure]:
    return dict.fromkeys(names.split(), "STRING")


def _numbers(names: str, kind: str) -> dict[str, Structure]:
    return dict.fromkeys(names.split(), kind)


VALUE = {"string_value": "STRING", "int_value": "INTEGER", "float_value": "FLOAT", "double_value": "FLOAT"}
PARAMS = [{"key": "STRING", "value": VALUE}]

EXPORT_COLUMNS: dict[str, Structure] = {
    "event_date": "STRING",
    "event_timestamp": "INTEGER",
    "event_name": "STRING",
    "event_params": PARAMS,
    "event_previous_timestamp": "INTEGER",
    "event_value_in_usd": "FLOAT",
    "event_bundle_sequence_id": "INTEGER",
    "event_server_timestamp_offset": "INTEGER",
    "user_id": "STRING",
    "user_pseudo_id": "STRING",
    "privacy_info": _strings("analytics_storage ads_storage uses_transient_token"),
    "user_properties": [{"key": "STRING", "value": VALUE | {"set_timestamp_micros": "INTEGER"}}],
    "user_first_touch_timestamp": "INTEGER",
    "user_ltv": {"revenue": "FLOAT", "currency": "STRING"},
    "device": _strings("category mobile_brand_name mobile_model_name mobile_marketing_name mobile_os_hardware_model")
    | _strings("operating_system operating_system_version vendor_id advertising_id language")
    | {"is_limited_ad_tracking": "BOOLEAN", "time_zone_offset_seconds": "INTEGER"}
    | {"web_info": _strings("browser browser_version hostname")},
    "geo": _strings("continent sub_continent country region city metro"),
    "app_info": _strings("id firebase_app_id install_source version"),
    "traffic_source": _strings("name medium source"),
    "stream_id": "STRING",
    "platform": "STRING",
    "event_dimensions": _strings("hostname"),
    "ecommerce": _numbers("total_item_quantity unique_items", "INTEGER")
    | _numbers("purchase_revenue_in_usd purchase_revenue refund_value_in_usd refund_value", "FLOAT")
    | _numbers("shipping_value_in_usd shipping_value tax_value_in_usd tax_value", "FLOAT")
    | {"transaction_id": "STRING"},
    "items": [
        _strings("item_id item_name item_brand item_variant")
        | _strings("item_category item_category2 item_category3 item_category4 item_category5")
        | _numbers("price_in_usd price item_revenue_in_usd item_revenue item_refund_in_usd item_refund", "FLOAT")
        | {"quantity": "INTEGER"}
        | _strings("coupon affiliation location_id item_list_id item_list_name item_list_index")
        | _strings("promotion_id promotion_name creative_name creative_slot")
        | {"item_params": PARAMS}
    ],
    "collected_traffic_source": _strings("manual_campaign_id manual_campaign_name manual_source manual_medium")
    | _strings("manual_term manual_content manual_creative_format manual_marketing_tactic manual_source_platform")
    | _strings("gclid dclid srsltid"),
    "is_active_user": "BOOLEAN",
    "batch_event_index": "INTEGER",
    "batch_page_id": "INTEGER",
    "batch_ordering_id": "INTEGER",
    "session_traffic_source_last_click": {
        "manual_campaign": _strings("campaign_id campaign_name medium term content source_platform source")
        | _strings("creative_format marketing_tactic"),
        "google_ads_campaign": _strings("customer_id account_name campaign_id campaign_name ad_group_id ad_group_name"),
    },
    "publisher": {"ad_revenue_in_usd": "FLOAT"} | _strings("ad_format ad_source_name ad_unit_id"),
    "event_original_occurrence_timestamp": "INTEGER",
}

# What DuckDB calls what it found in JSON, as BigQuery calls it. `JSON` means that the rows disagree.
FOUND_TYPES = {"UBIGINT": "INTEGER", "BIGINT": "INTEGER", "HUGEINT": "FLOAT", "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN"}


def fields(declared: dict[str, Structure], found: dict[str, Structure]) -> list[dict[str, Any]]:
    """The schema of a table (BigQuery's REST form): `declared` columns first, then those only `found` in its rows."""
    names = [*declared, *(name for name in found if name not in declared)]
    return [_field(name, declared.get(name), found.get(name, "NULL")) for name in names]


def _field(name: str, declared: Structure, found: Structure) -> dict[str, Any]:
    if found == "NULL" and declared is not None:
        found = declared
    if isinstance(found, list):
        inner = declared[0] if isinstance(declared, list) else None
        return _field(name, inner, found[0] if found else "NULL") | {"mode": "REPEATED"}
    if isinstance(found, dict):
        known = declared if isinstance(declared, dict) else {}
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields(known, found)}
    return {"name": name, "type": _scalar(name, declared, found), "mode": "NULLABLE"}


def _scalar(name: str, declared: Structure, found: str) -> str:
    kind = FOUND_TYPES.get(found, found if found in FOUND_TYPES.values() else "STRING")
    if declared == "STRING":  # takes any scalar; only stream_id is known to come in two forms
        return "INTEGER" if name == "stream_id" and kind == "INTEGER" else "STRING"
    both_numbers = {declared, kind} <= {"INTEGER", "FLOAT"}
    return str(declared) if both_numbers or declared == kind else kind
