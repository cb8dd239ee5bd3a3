"""How many requests go out: as an endpoint's headers and its refusals say."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from copy_night import RETAIL, Invite, Night

from nurture.copywriting.allowances import Allowance, Allowances, read_allowances
from nurture.copywriting.chat_model import ModelBusy
from nurture.copywriting.pacing import FIRST_WINDOW, Pace, Slot

TOO_MANY = ModelBusy("HTTP 429", status="rate_limited", is_overload=True)


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 10))  # type: ignore[arg-type]


async def send(pace: Pace, tokens: int = 1) -> Slot:
    slot = await pace.enter(tokens)
    await pace.go(slot)
    return slot


async def full(pace: Pace) -> tuple[list[Slot], list["asyncio.Task[Slot]"]]:
    """As many requests in flight as may be, and as many more that wait to go."""
    slots = [await send(pace) for _ in range(int(pace.window))]
    waiting = [asyncio.create_task(send(pace)) for _ in slots]
    await asyncio.sleep(0)
    assert pace.in_flight == len(slots)
    return slots, waiting


async def emptied(pace: Pace, waiting: list["asyncio.Task[Slot]"]) -> None:
    for turn in waiting:
        pace.over(await turn)
    assert pace.in_flight == 0


def test_the_window_opens_to_the_most_that_policy_allows_when_nothing_refuses() -> None:
    async def work() -> None:
        pace, opened = Pace(most=100), []
        while pace.window < 100:
            opened.append(int(pace.window))
            slots, waiting = await full(pace)
            for slot in slots:
                pace.answered(slot, None)
            await emptied(pace, waiting)

        assert opened[0] == FIRST_WINDOW
        assert len(opened) <= 4

    run(work)


def test_one_wave_of_refusals_halves_the_window_once_and_then_it_opens_by_one_a_round() -> None:
    async def work() -> None:
        pace = Pace(most=100)
        slots, waiting = await full(pace)
        for slot in slots:
            pace.busy(slot, TOO_MANY)
        halved = pace.window
        await emptied(pace, waiting)
        slots, waiting = await full(pace)
        for slot in slots:
            pace.answered(slot, None)
        await emptied(pace, waiting)

        assert halved == FIRST_WINDOW / 2
        assert halved + 0.9 < pace.window <= halved + 1

    run(work)


def test_whoever_waits_goes_on_at_once_when_the_run_is_stopped() -> None:
    async def work() -> None:
        pace = Pace(most=1)
        out = await send(pace)
        going = asyncio.create_task(send(pace))
        coming = [asyncio.create_task(pace.enter(1)) for _ in range(3)]
        await asyncio.sleep(0)
        pace.busy(out, ModelBusy("HTTP 429", status="rate_limited", retry_after_seconds=60))

        pace.stop()

        await asyncio.wait_for(asyncio.gather(going, *coming, send(pace)), 1)

    run(work)


def test_a_slot_that_is_given_back_twice_is_one_slot() -> None:
    async def work() -> None:
        pace = Pace(most=2)
        slots = [await send(pace), await send(pace)]

        pace.over(slots[0])
        pace.over(slots[0])

        assert pace.in_flight == 1

    run(work)


def test_the_window_never_closes() -> None:
    async def work() -> None:
        pace = Pace(most=2)
        for _ in range(5):
            pace.busy(await send(pace), TOO_MANY)

        assert pace.window == 1

    run(work)


def test_only_so_many_are_made_ready_as_will_soon_go_out() -> None:
    async def work() -> None:
        pace = Pace(most=2)
        await send(pace)
        await send(pace)
        await pace.enter(1)
        await pace.enter(1)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pace.enter(1), 0.05)

    run(work)


@pytest.mark.parametrize(
    ("told", "tokens"),
    [(Allowances(requests=Allowance(600, 0, 60)), 1), (Allowances(tokens=Allowance(6000, 50, 59.5)), 60)],
)
def test_what_is_left_according_to_the_headers_holds_back_until_it_is_refilled(told: Allowances, tokens: int) -> None:
    """Ten requests, or a hundred tokens, come back in a second: a tenth of it is missing."""

    async def work() -> None:
        pace = Pace(most=10)
        pace.answered(await send(pace), told)
        began = time.monotonic()
        await pace.enter(tokens)

        assert 0.09 <= time.monotonic() - began < 1

    run(work)


def test_a_wait_that_is_asked_for_holds_back_everyone() -> None:
    async def work() -> None:
        pace = Pace(most=10)
        first, _ = await send(pace), await send(pace)
        asked = ModelBusy("HTTP 429", status="rate_limited", is_overload=True, retry_after_seconds=0.2)
        pace.busy(first, asked)
        began = time.monotonic()
        await pace.enter(1)

        assert time.monotonic() - began >= 0.19

    run(work)


@pytest.mark.parametrize(
    ("reset", "seconds"), [("6m0s", 360), ("1h2m3.5s", 3723.5), ("120ms", 0.12), ("7", 7), ("soon", None), ("", None)]
)
def test_openais_limits_are_read_from_its_headers(reset: str, seconds: float | None) -> None:
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": reset,
    }

    told = read_allowances(headers)

    assert told.requests == (None if seconds is None else Allowance(500, 499, seconds))
    assert told.tokens is None


def test_anthropics_limits_are_read_from_its_headers() -> None:
    reset = (datetime.now(UTC) + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")
    headers = {f"anthropic-ratelimit-tokens-{name}": value for name, value in
               (("limit", "40000"), ("remaining", "39000"), ("reset", reset))}  # fmt: skip

    told = read_allowances(headers).tokens

    assert told is not None
    assert (told.limit, told.remaining) == (40000, 39000)
    assert told.reset_seconds == pytest.approx(30, abs=2)


@pytest.fixture
def nine(invite: Invite) -> None:
    """Nine pieces to be written."""
    for product, industry in itertools.product(("LF-COUNT", "LF-SCAN", None), ("retail", "healthcare", "logistics")):
        invite({**RETAIL, "industry": industry, "recent_product": product})


@pytest.mark.slow
def test_a_night_keeps_to_the_limits_that_answers_tell_so_that_nothing_is_refused(night: Night, nine: None) -> None:
    """Five requests are left, then one in a second; four are made ready before the first answer says so."""
    night.server.admin("limits", {"requests_per_minute": 60})
    with httpx.Client(base_url=night.server.root, headers={"Authorization": f"Bearer {night.server.api_key}"}) as other:
        left = 60
        while left > 5:
            body = {"model": "sandbox-writer-1", "messages": [{"role": "user", "content": "Hello"}]}
            answer = other.post("/v1/chat/completions", json=body).raise_for_status()
            left = int(answer.headers["x-ratelimit-remaining-requests"])

    counts = night.write(max_concurrency=2)

    assert counts.unanswered == 0
    assert night.rows("SELECT status, count(*) FROM ops.llm_call GROUP BY 1") == [("ok", 9)]


SLOW_COMMITS = b"""
CREATE TABLE committed (txid bigint);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    PERFORM pg_sleep(0.05);
    INSERT INTO committed VALUES (pg_current_xact_id()::text::bigint);
    RETURN NULL;
END$$;
CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON ops.budget
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
"""


def test_commits_are_shared_by_the_calls_that_are_in_flight_together(night: Night, nine: None, warehouse_url: str) -> None:
    """Each commit takes long here, as on a slow disk; one for each note would be eighteen."""
    with psycopg.connect(warehouse_url) as other:
        other.execute(SLOW_COMMITS)

    counts = night.write(max_concurrency=9)

    [(commits,)] = night.rows("SELECT count(DISTINCT txid) FROM committed")
    assert counts.model_calls == 9
    assert commits <= 12
