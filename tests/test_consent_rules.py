"""The rules of the regions: what is shipped, what a wrong file is told, and that Python and SQL choose the same rule."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from nurture.consent.rules import CONSENT_REGIONS, STRICTEST, Rules, load_rules
from nurture.errors import ConfigError
from nurture.paths import PROJECT
from warehouse_rows import insert

EU = load_rules().rules[0].regions[:27]
RULE: dict[str, Any] = {
    "id": "a", "law": "a law", "regions": ["US"], "basis": "opt_out", "withdrawal_business_days": 10,
    "sources": ["https://law.example/"], "checked": "2026-11-22",
}  # fmt: skip


def rules(*changes: dict[str, Any]) -> Rules:
    return Rules.model_validate({"rules": [RULE | change for change in changes]})


def test_europe_needs_an_opt_in_and_who_is_nowhere_or_elsewhere_too() -> None:
    shipped = load_rules()

    for region in [*EU, "IS", "LI", "NO", "GB", "CH", "GB-SCT"]:
        assert shipped.rule_for(region).basis == "opt_in", region
    assert shipped.rule_for("NO").id == "eu_eprivacy"
    assert [shipped.rule_for(region) for region in (None, "", "IN", "XX")] == [STRICTEST] * 4
    assert STRICTEST.basis == "opt_in"


def test_a_state_goes_before_its_country() -> None:
    mine = rules({}, {"id": "b", "regions": ["US-WA"], "basis": "opt_in"})

    assert [mine.rule_for(region).id for region in ("US", "US-CA", "US-WA")] == ["a", "a", "b"]
    assert load_rules().rule_for("US-CA").id == "us_ca_ccpa"


def test_canada_infers_consent_for_six_months_and_two_years_at_most() -> None:
    casl = load_rules().rule_for("CA")

    assert casl.basis == "implied"
    assert casl.withdrawal_business_days == 10
    assert {by.event: by.days for by in casl.implied_by} == {"demo_request": 181, "purchase": 730}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([{"basis": "opt_in_please"}], "'opt_in', 'opt_out' or 'implied'"),
        ([{"regions": ["USA"]}], "rules: a: `regions.0`"),
        ([{"regions": []}], "rules: a: `regions`"),
        ([{"sources": []}], "rules: a: `sources`"),
        (
            [{"lawyer": "me"}],
            r"rules: a: unknown key `lawyer`. Valid keys are: basis, checked, id, implied_by, law, regions",
        ),
        ([{"basis": "implied"}], "`implied_by` goes with the basis implied"),
        ([{"implied_by": [{"event": "purchase", "days": 3}]}], "`implied_by` goes with the basis implied"),
        ([{"basis": "implied", "implied_by": [{"evnt": "purchase", "days": 3}]}], "Valid keys are: days, event"),
        ([{}, {"id": "b"}], "region US is given twice"),
        ([{}, {"regions": ["DE"]}], "rule id a is given twice"),
        ([{"id": "strictest"}], "rule id strictest is given twice"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key_and_the_valid_ones(
    tmp_path: Path, changes: list[dict[str, Any]], words: str
) -> None:
    path = tmp_path / "consent_regions.yaml"
    path.write_text(yaml.safe_dump({"rules": [RULE | change for change in changes]}))

    with pytest.raises(ConfigError, match=words):
        load_rules(path)


def test_a_country_that_yaml_takes_for_a_no_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "consent_regions.yaml"
    path.write_text(CONSENT_REGIONS.read_text().replace('"NO"', "NO"))

    with pytest.raises(ConfigError, match=r"rules: eu_eprivacy: `regions.29`: expected text: put it in quotes"):
        load_rules(path)


def test_sql_and_python_choose_the_same_rule(warehouse: psycopg.Connection) -> None:
    from audience_night import apply_consent, leads, select

    shipped = load_rules()
    regions = [None, "US", "US-CA", "US-NY", "CA", "CA-QC", "DE", "DE-BY", "IN", "BR", "US-", "U"]
    for number, region in enumerate(regions, start=1):
        leads(warehouse, str(number), region=region, consent_status="unknown")
    select(warehouse)

    apply_consent(warehouse, shipped)

    rows = warehouse.execute("SELECT region, consent_rule FROM marts.audience ORDER BY crm_id::int").fetchall()
    assert rows == [(region, shipped.rule_for(region).id) for region in regions]


@pytest.mark.parametrize(
    ("event", "days_ago", "is_implied"),
    [("demo_request", 180, True), ("demo_request", 182, False), ("purchase", 700, True), ("purchase", 731, False),
     ("view_item", 1, False), ("demo_request", -2, False)],
)  # fmt: skip
def test_consent_is_inferred_only_while_the_law_says_so(
    warehouse: psycopg.Connection, event: str, days_ago: int, is_implied: bool
) -> None:
    warehouse.execute("INSERT INTO marts.person (person_id, consent_status) VALUES ('p', 'unknown')")
    insert(warehouse, "marts", "person_identity", {"kind": "user_id", "value": "u", "person_id": "p"})
    warehouse.execute(
        "INSERT INTO staging.events (event_day, row_number, event_at, event_name, user_id)"
        " SELECT moment::date, 1, moment, %s, 'u' FROM (SELECT now() - make_interval(days => %s) AS moment) AS event",
        (event, days_ago),
    )
    casl = load_rules().rule_for("CA")

    rows = warehouse.execute(
        "SELECT person_id, event_name FROM ops.implied_consent('{p,q}', %s, %s)",
        ([by.event for by in casl.implied_by], [by.days for by in casl.implied_by]),
    ).fetchall()

    assert rows == ([("p", event)] if is_implied else [])


def test_the_page_in_the_docs_has_the_rules_of_the_file() -> None:
    page = (PROJECT / "docs" / "consent.md").read_text()

    table = page.split("| rule |")[1].split("\n\n")[0].splitlines()[2:]

    assert table == [
        f"| `{rule.id}` | {', '.join(sorted(rule.regions))} | {needs(rule)} | "
        f"{rule.withdrawal_business_days or '–'} | {rule.law} | "
        + " ".join(f"[{number}]({url})" for number, url in enumerate(rule.sources, 1))
        + " |"
        for rule in load_rules().rules
    ]


def needs(rule: Any) -> str:
    """The cell of what a rule needs."""
    if rule.basis == "implied":
        return "opt-in, or " + ", ".join(f"`{by.event}` within {by.days} days" for by in rule.implied_by)
    return {"opt_in": "opt-in", "opt_out": "no opt-out"}[rule.basis]
