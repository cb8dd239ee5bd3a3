"""Evaluation before release: golden contexts through the engine, judged, paid for, compared, kept."""

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from evaluations import DAY, Evaluations, library

from nurture.copywriting.evaluation_markdown import markdown
from nurture.copywriting.evaluation_report import Evaluated, Report, difference, failures, figures
from nurture.copywriting.release import lock, release
from nurture.copywriting.templates import template_path
from nurture.errors import ConfigError
from nurture.paths import PROJECT
from nurture.policy import load_policy
from sandbox.model import RunningModel

pytestmark = pytest.mark.slow  # every prompt of the library over its golden contexts

POLICY = load_policy()


@pytest.fixture
def evaluations(warehouse: psycopg.Connection, sandbox_model: RunningModel, tmp_path: Path) -> Evaluations:
    llm = POLICY.llm.model_copy(update={"backoff_seconds": 0.01})
    policy = POLICY.model_copy(update={"llm": llm})
    return Evaluations(warehouse, sandbox_model, policy, library(tmp_path / "prompts"))


def piece(outcome: str = "clear", **keys: Any) -> Evaluated:
    known: dict[str, Any] = {
        "why": ("x",),
        "context": {},
        "outcome": outcome,
        "confidence": 0.9,
        "words": {"body": 10},
        "usd": 0.001,
    }
    return Evaluated(**(known | keys))


def test_an_unreleased_prompt_is_written_judged_paid_for_and_compared_with_the_released_one(
    evaluations: Evaluations,
) -> None:
    report = evaluations.run("lead_nurture@v2")

    assert report.passed and report.is_sandbox and report.baseline == "lead_nurture@v1"
    assert report.figures.contexts == 12 and report.figures.unanswered_share == 0
    assert report.baseline_figures and report.baseline_figures.contexts == 12
    assert report.difference["prompt_tokens_mean"] > 0
    assert evaluations.rows(
        "SELECT template_id, template_version, template_hash, model, baseline, passed, dag_id, run_id FROM ops.evaluation"
    ) == [
        (
            "lead_nurture",
            2,
            report.template_sha256,
            "sandbox-writer-1",
            "lead_nurture@v1",
            True,
            "evaluate_prompt",
            "manual__1",
        )
    ]
    [[calls, cost]] = evaluations.rows("SELECT count(*), sum(cost_usd) FROM ops.llm_call WHERE campaign = 'evaluation'")
    assert calls == 24
    assert evaluations.rows("SELECT spent_usd FROM ops.budget WHERE scope = 'campaign' AND key LIKE 'evaluation/%'") == [
        (cost,)
    ]


def test_a_second_evaluation_pays_nothing_and_says_the_same(evaluations: Evaluations) -> None:
    first = evaluations.run()

    second = evaluations.run()

    assert second == first
    assert evaluations.rows("SELECT count(*) FROM ops.llm_call") == [(24,)]
    assert evaluations.rows("SELECT count(*) FROM ops.evaluation") == [(2,)]


def test_a_model_that_invents_does_not_pass(evaluations: Evaluations) -> None:
    evaluations.server.misbehave("invented_price")

    report = evaluations.run("lead_nurture@v1")

    assert report.figures.rejected_share == 1
    assert report.figures.guardrails["figures"] == 12
    assert all(any(said.startswith("figures: ") and "$" in said for said in one.found) for one in report.pieces)
    assert "100% is rejected; at most 10% may be" in report.failures
    with pytest.raises(
        ConfigError, match=r"latest evaluation \(model sandbox-writer-1\) did not pass: 0% is clear or flagged"
    ):
        release("lead_nurture@v1", evaluations.connection, evaluations.folder)


def test_the_query_that_marketers_are_given_shows_what_was_written_and_why_it_is_refused(evaluations: Evaluations) -> None:
    [query] = re.findall(r"```sql\n(.*?)```", (PROJECT / "docs" / "marketers.md").read_text(), re.DOTALL)
    evaluations.server.misbehave("invented_price")
    evaluations.run("lead_nurture@v1")

    rows = evaluations.rows(query)

    assert len(rows) == 12
    for outcome, reasons, output in rows:
        assert (outcome, reasons[0]["name"]) == ("rejected", "figures")
        assert "$" in output["body"]


def test_an_answer_that_cannot_be_read_is_reported_with_what_was_wrong_with_it(evaluations: Evaluations) -> None:
    evaluations.server.misbehave("broken_json")

    report = evaluations.run("lead_nurture@v1")

    [words] = {one.found for one in report.pieces}
    assert len(words) == 1 and words[0].startswith("schema: the answer is not JSON")
    assert {one.guardrails for one in report.pieces} == {("schema",)}


def test_a_budget_or_a_switch_that_keeps_calls_back_is_said_and_does_not_pass(evaluations: Evaluations) -> None:
    budget = POLICY.llm.budget.model_copy(update={"run_usd": 0.0})
    capped = evaluations.run(budget=budget)
    evaluations.connection.execute("UPDATE ops.switch SET is_on = false WHERE name = 'ai_personalization'")
    evaluations.connection.commit()

    off = evaluations.run()

    assert capped.unanswered_because == ("the budget's cap run_usd was reached",)
    assert off.unanswered_because == ("the switch ai_personalization is off",)
    assert off.failures[0] == "100% of the contexts got no answer; every one must be answered"
    assert evaluations.rows("SELECT count(*), bool_or(passed) FROM ops.evaluation") == [(2, False)]
    assert evaluations.rows("SELECT count(*) FROM ops.llm_call") == [(0,)]


def test_a_static_template_is_judged_by_people(evaluations: Evaluations) -> None:
    with pytest.raises(ConfigError, match=r"static_template/v3.yaml: static_template@v3 is static"):
        evaluations.run("static_template@v3")


@pytest.mark.parametrize("changed", ["lead_nurture@v1", "lead_nurture@v2"])
def test_a_released_prompt_that_was_changed_is_not_evaluated_nor_compared_with(
    evaluations: Evaluations, changed: str
) -> None:
    path = template_path(changed, evaluations.folder)
    lock(changed, evaluations.folder)
    path.write_text(path.read_text().replace("plainly", "loudly"))

    with pytest.raises(ConfigError, match=f"{path.name}: changed after its release. Restore it"):
        evaluations.run("lead_nurture@v2")

    assert evaluations.rows("SELECT count(*) FROM ops.llm_call") == [(0,)]


def test_the_report_reads_as_a_page() -> None:
    pieces = [
        piece(why=("nothing is known",), context={"industry": "other", "recent_product": "none"}),
        piece(
            "flagged",
            context={"industry": "retail", "recent_product": "LF-SCAN"},
            guardrails=("discount",),
            found=("discount: <b>half</b> | [off](http://bad.example)\n# now",),
        ),
    ]
    now, before = figures(pieces), figures(pieces[:1])
    report = Report(
        template="faq_answers@v2", template_sha256="0", model="sandbox-writer-1", is_sandbox=True, day=DAY, figures=now,
        baseline="faq_answers@v1", baseline_figures=before, difference=difference(now, before),
        unanswered_because=("the switch is off",), failures=("too bad",), pieces=tuple(pieces),
    )  # fmt: skip

    text = markdown(report)

    assert text.startswith("# Evaluation of faq_answers@v2: **not passed**: it cannot be released\n")
    assert "a deterministic sandbox writer, not AI" in text
    assert "- too bad.\n- no answer: the switch is off.\n" in text
    assert "| figure | faq_answers@v2 | faq_answers@v1 | difference |" in text
    assert "| clear share | 50% | 100% | -50% |" in text
    assert "| nothing known | nothing is known | clear |  | 0.90 | 10 |" in text
    assert "| retail, LF-SCAN | x | flagged | discount | 0.90 | 10 |" in text
    assert text.endswith(
        "\nWhat the guardrails found:\n\n"
        r"- flagged, retail, LF-SCAN: discount: &lt;b&gt;half&lt;/b&gt; \| `` [off](http://bad.example) `` \# now" + "\n"
    )


def test_figures_are_shares_of_all_contexts_and_means_of_what_was_answered() -> None:
    pieces = [
        piece(words={"subject_lines.1": 4, "subject_lines.2": 6, "body": 20}, confidence=1.0),
        piece("flagged", guardrails=("discount",), words={"subject_lines.1": 5, "subject_lines.2": 5, "body": 40}),
        piece("rejected", guardrails=("schema",), confidence=0.0, words={}, usd=0.004),
        piece("unanswered", confidence=None, words={}, usd=None),
    ]

    found = figures(pieces)

    assert (found.clear_share, found.flagged_share, found.rejected_share, found.unanswered_share) == (0.25,) * 4
    assert (found.usable_share, found.confidence_least) == (0.5, 0)
    assert found.usd_per_piece == pytest.approx(0.002)
    assert found.guardrails == {"discount": 1, "schema": 1}
    assert found.words == (30, 40, 50)
    assert found.words_by_part == {"subject_lines": (4, 5, 6), "body": (20, 30, 40)}


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([piece()] * 9 + [piece("unanswered")], "10% of the contexts got no answer"),
        ([piece()] * 8 + [piece("rejected")] * 2, "80% is clear or flagged; at least 90% must be"),
        ([piece()] * 8 + [piece("rejected")] * 2, "20% is rejected; at most 10% may be"),
        ([piece(usd=0.5)], "a piece costs $0.50000; at most $0.02000 is allowed"),
        (
            [piece()] * 8 + [piece("flagged")] * 2,
            "clear_share is 0.80, the baseline's 1.00; it may be worse by at most 0.10",
        ),
        ([piece(confidence=0.7)], "confidence_mean is 0.70, the baseline's 0.90; it may be worse by at most 0.10"),
    ],
)
def test_what_keeps_a_prompt_from_its_release_is_said_in_words(pieces: list[Evaluated], said: str) -> None:
    baseline = figures([piece()] * 10)

    found = failures(figures(pieces), baseline, POLICY.evaluation)

    assert any(failure.startswith(said) for failure in found), found


def test_a_prompt_at_the_limits_passes() -> None:
    pieces = [piece()] * 9 + [piece("rejected")]

    assert failures(figures(pieces), figures([piece()]), POLICY.evaluation) == ()
