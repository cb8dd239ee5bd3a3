"""The hard budget: whatever happens at the same time, no cap is passed."""

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product

import psycopg
import pytest
from copy_night import CAMPAIGN, RETAIL, Invite, Night
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nurture.copywriting.budget import NOTHING, Amount, Granted, Purse, reserve, reserve_each, settle
from nurture.copywriting.prices import Prices
from nurture.copywriting.store import Run
from nurture.policy import Budget, MonthCap, load_policy

pytestmark = pytest.mark.slow  # many at once against one budget

DAY = date(2026, 11, 21)
PIECES = 20


def caps(**changes: object) -> Budget:
    """The budget of policy with other caps."""
    return load_policy().llm.budget.model_copy(update=changes)


@pytest.fixture
def many(invite: Invite) -> None:
    """Twenty pieces to be written."""
    for industry, number in product(("retail", "healthcare", "logistics", "other"), range(5)):
        seen = ("LF-COUNT", "LF-SCAN", "LF-ROUTE", "LF-INSIGHT", None)[number]
        invite({"industry": industry, "pain_point": "stock_errors", "recent_product": seen})


@pytest.mark.parametrize(
    ("key", "cap"),
    [("run_usd", 0.002), ("run_tokens", 12_000), ("day_usd", 0.002), ("day_tokens", 12_000), ("campaign_month_usd", 0.002),
     ("campaign_month_tokens", 12_000)],
)  # fmt: skip
def test_no_cap_is_ever_passed_and_the_counts_say_which_it_was(
    night: Night, many: None, key: str, cap: float, caplog: pytest.LogCaptureFixture
) -> None:
    counts = night.write(budget={key: cap})

    assert counts.capped_by == key
    assert f"The cap llm.budget.{key} is reached" in caplog.text
    assert 0 < counts.model_calls < PIECES
    assert counts.static == counts.unanswered + counts.rejected == PIECES - counts.model_calls + counts.rejected
    [(usd, tokens)] = night.rows("SELECT max(reserved_usd + spent_usd), max(reserved_tokens + spent_tokens) FROM ops.budget")
    assert (usd if key.endswith("usd") else tokens) <= cap


def test_a_test_send_uses_its_campaigns_money() -> None:
    budget = caps(campaigns={CAMPAIGN: MonthCap(month_usd=3, month_tokens=700)})

    night, test = (Purse.of(Run(CAMPAIGN, "run", name), budget, DAY).caps[2] for name in (CAMPAIGN, f"{CAMPAIGN}~seed"))

    assert test == night
    assert (test.key, test.most) == (f"{CAMPAIGN}/2026-11", Amount(Decimal("3.0"), 700))


def test_one_campaign_can_have_a_cap_of_its_own(night: Night, many: None) -> None:
    own = {CAMPAIGN: MonthCap(month_usd=0.002, month_tokens=10**9)}

    counts = night.write(budget={"campaigns": own})

    assert (counts.capped_by, 0 < counts.model_calls < PIECES) == ("campaign_month_usd", True)


def test_every_reservation_is_settled_at_what_the_call_cost(night: Night, many: None) -> None:
    today = datetime.now(UTC).date()

    counts = night.write()

    spent = night.rows("SELECT sum(cost_usd), sum(prompt_tokens + completion_tokens) FROM ops.llm_call")[0]
    assert night.rows(
        "SELECT scope, key, reserved_usd, reserved_tokens, spent_usd, spent_tokens FROM ops.budget ORDER BY 1"
    ) == [
        ("campaign", f"{CAMPAIGN}/{today:%Y-%m}", 0, 0, *spent),
        ("day", today.isoformat(), 0, 0, *spent),
        ("run", f"{CAMPAIGN}/{night.run_id}", 0, 0, *spent),
    ]
    assert counts.model_calls == PIECES


def test_money_that_comes_back_is_used_before_anything_is_given_up(night: Night, many: None) -> None:
    """Worst cases of eight calls do not fit under the cap at once; what twenty calls really cost does."""
    spent = Decimal(str(night.write().cost_usd))
    night.connection.execute(
        "TRUNCATE ops.budget, ops.copy, ops.copy_source, ops.message, ops.approval, ops.push_ledger, "
        "ops.push_output, ops.llm_call"
    )
    night.connection.commit()

    counts = night.write(budget={"run_usd": float(spent * 2)})

    assert (counts.capped_by, counts.unanswered, counts.model_calls) == (None, 0, PIECES)


def test_runs_at_the_same_time_stay_under_the_cap_of_the_day_together(night: Night, many: None, warehouse_url: str) -> None:
    cap = Decimal("0.002")

    async def both() -> None:
        with psycopg.connect(warehouse_url) as other:
            second = replace(night, connection=other, run_id="manual__2")
            await asyncio.gather(
                *(one.writing(budget={"day_usd": float(cap)}) for one in (night, second)), return_exceptions=True
            )

    asyncio.run(both())

    calls = night.rows("SELECT run_id, count(*) FROM ops.llm_call GROUP BY 1")
    assert 0 < sum(count for _, count in calls) < PIECES
    assert night.rows("SELECT sum(cost_usd) FROM ops.llm_call")[0][0] <= cap


def test_a_retried_task_counts_what_its_run_has_spent_before(night: Night, invite: Invite) -> None:
    invite(RETAIL)
    night.connection.execute(
        "INSERT INTO ops.budget (scope, key, spent_usd) VALUES ('run', %s, 5)", (f"{CAMPAIGN}/{night.run_id}",)
    )
    night.connection.commit()

    counts = night.write()

    assert (counts.capped_by, counts.model_calls, counts.static) == ("run_usd", 0, 1)


@pytest.fixture
def no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nurture.copywriting.engine.load_prices", lambda: Prices({}))


def test_a_model_without_a_price_is_not_asked_and_says_what_to_do(
    night: Night, invite: Invite, no_prices: None, caplog: pytest.LogCaptureFixture
) -> None:
    invite(RETAIL, people=2)

    counts = night.write()

    assert (counts.unpriced, counts.model_calls, counts.unanswered, counts.static) == (True, 0, 1, 2)
    assert (night.prompts(), night.rows("SELECT count(*) FROM ops.llm_call")) == ([], [(0,)])
    assert "include/prices.yaml has no price for the model sandbox-writer-1" in caplog.text
    assert "Add its price, or set llm.allow_unpriced_models" in caplog.text


def test_where_policy_allows_a_model_without_a_price_its_tokens_are_still_capped(
    night: Night, invite: Invite, no_prices: None
) -> None:
    invite(RETAIL)

    free = night.write(allow_unpriced_models=True, budget={"run_usd": 0})
    invite({**RETAIL, "industry": "healthcare"})
    capped = night.write(allow_unpriced_models=True, budget={"run_tokens": 100})

    assert (free.unpriced, free.cost_usd, free.model_calls) == (True, 0.0, 1)
    assert (capped.capped_by, capped.model_calls) == ("run_tokens", 0)


NO_COMMIT_PASSES_A_CAP = b"""
CREATE FUNCTION hold_cap() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    IF EXISTS (SELECT FROM ops.budget WHERE reserved_usd + spent_usd > 1 OR reserved_tokens + spent_tokens > 5000) THEN
        RAISE EXCEPTION 'a cap was passed';
    END IF;
    RETURN NULL;
END$$;
CREATE CONSTRAINT TRIGGER hold_cap AFTER INSERT OR UPDATE ON ops.budget
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_cap();
"""


def test_eight_at_once_that_reserve_settle_and_die_never_pass_a_cap(
    warehouse: psycopg.Connection, warehouse_url: str
) -> None:
    """Two campaigns, four runs, two days over midnight: every row of the budget is fought for, in every order."""
    warehouse.execute(NO_COMMIT_PASSES_A_CAP)
    warehouse.commit()
    budget = caps(run_usd=1, day_usd=1, campaign_month_usd=1, run_tokens=5000, day_tokens=5000, campaign_month_tokens=5000)

    def hammer(worker: int) -> list[Granted]:
        rng = random.Random(worker)
        grants = []
        with psycopg.connect(warehouse_url) as connection:
            for _ in range(60):
                campaign = f"campaign_{rng.randrange(2)}"
                purse = Purse.of(Run(campaign, f"run_{worker % 4}", campaign), budget, rng.choice((DAY, date(2026, 11, 22))))
                worst = [
                    Amount(Decimal(rng.randrange(1, 60)) / 1000, rng.randrange(1, 200)) for _ in range(rng.randrange(1, 5))
                ]
                granted = reserve_each(connection, purse, worst)
                connection.commit()
                grants.append(granted)
                reserved = sum(worst[: granted.calls], NOTHING)
                if granted.calls and rng.random() < 0.9:  # the rest was killed: it stays reserved
                    spent = Amount(reserved.usd / 20, reserved.tokens // 20)
                    settle(connection, purse, reserved=reserved, spent=spent)
                    connection.commit()
        return grants

    with ThreadPoolExecutor(8) as pool:
        grants = [granted for grants in pool.map(hammer, range(8)) for granted in grants]

    assert any(grants)
    assert not all(grants)


@pytest.fixture(scope="module")
def ledger(postgres: object, housekeeping: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A warehouse for many short examples."""
    housekeeping.execute("CREATE DATABASE budget_examples TEMPLATE migrated")
    with psycopg.connect(postgres.url("budget_examples")) as connection:  # type: ignore[attr-defined]
        yield connection


STEP = st.tuples(
    st.sampled_from(["a", "b"]),  # campaign, and its run
    st.sampled_from([DAY, date(2026, 11, 22), date(2026, 12, 1)]),
    st.integers(0, 700),  # thousandths of a dollar
    st.integers(0, 700),  # tokens
    st.sampled_from(["settle", "free", "kill"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=12))
def test_in_any_order_of_events_exactly_what_fits_is_granted(
    ledger: psycopg.Connection, steps: list[tuple[str, date, int, int, str]]
) -> None:
    budget = caps(run_usd=1, day_usd=1.5, campaign_month_usd=2, run_tokens=1000, day_tokens=1500, campaign_month_tokens=2000)
    ledger.execute("TRUNCATE ops.budget")
    used: dict[tuple[str, str], Amount] = {}

    for campaign, day, mills, tokens, then in steps:
        purse, worst = Purse.of(Run(campaign, "run", campaign), budget, day), Amount(Decimal(mills) / 1000, tokens)
        after = {(cap.scope, cap.key): used.get((cap.scope, cap.key), NOTHING) + worst for cap in purse.caps}
        fits = all(
            after[cap.scope, cap.key].usd <= cap.most.usd and after[cap.scope, cap.key].tokens <= cap.most.tokens
            for cap in purse.caps
        )
        assert bool(reserve(ledger, purse, worst)) is fits
        if fits:
            back = {"settle": Amount(worst.usd / 2, worst.tokens // 2), "free": worst, "kill": NOTHING}[then]
            used |= {key: amount - back for key, amount in after.items()}
            if then != "kill":
                settle(ledger, purse, reserved=worst, spent=worst - back)

    rows = ledger.execute("SELECT scope, key, reserved_usd + spent_usd, reserved_tokens + spent_tokens FROM ops.budget")
    assert {(scope, key): Amount(usd, held) for scope, key, usd, held in rows if usd or held} == {
        key: amount for key, amount in used.items() if amount != NOTHING
    }
    ledger.rollback()
