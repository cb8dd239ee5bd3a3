"""What a night did, for a terminal. Every figure is read from the warehouse or from Airflow."""

from collections.abc import Callable
from typing import Any

import psycopg

from demo.airflow import AirflowApi
from nurture.scorecard.counterfactual import in_words
from nurture.scorecard.night import night_report

Say = Callable[[str], None]
GATE_MARKS = {"pass": "✓", "fail": "✗", "warn": "!", "error": "✗"}


def print_night(connection: psycopg.Connection, api: AirflowApi, *, run: dict[str, Any], day: str, say: Say) -> None:
    """Print one run: its report and its time per stage."""
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    report = night_report(connection, dag_id=dag_id, run_id=run_id, day=day)
    say("")
    say(f"{dag_id} · {day} · {_outcome(connection, dag_id, run_id, run['state'])}")
    for line in _loads(report.get("loads", [])):
        say(f"  loaded     {line}")
    for gate in report.get("gates", []):
        detail = "" if gate["status"] == "pass" else f": {gate['detail']}"
        say(f"  gate       {GATE_MARKS[gate['status']]} {gate['check']:<30} {_figure(gate)}{detail}")
    if "audience" in report:
        _print_campaign(report, say)
    if report.get("dead_letters"):
        say(f"  dead letters of this run: {_pairs(report['dead_letters'])}")
    times = [
        f"{task['task_id']} {task['duration']:.1f}" for task in _in_order(api.tasks(dag_id, run_id)) if task["duration"]
    ]
    say(f"  seconds    {' · '.join(times)}")


def _print_campaign(report: dict[str, Any], say: Say) -> None:
    audience, copy, model, push = (report.get(part, {}) for part in ("audience", "copy", "model", "push"))
    say(f"  audience   {audience['qualified']} qualified, {audience['may_be_written_to']} may be written to")
    say(f"  suppressed {_pairs(audience['suppressed']) or 'nobody'}")
    say(f"  arms       {_pairs(audience['arms']) or 'none'} (none = no message, the holdout)")
    say(
        f"  copy       {copy['distinct_model_pieces']} distinct pieces by the model for "
        f"{copy['people_with_model_copy']} people, "
        f"{copy['distinct_static_pieces']} static pieces for {copy['people_with_static_copy']}"
    )
    say(
        f"  model      {', '.join(model['models']) or 'not asked'}: {model['calls']} calls in all attempts of this run, "
        f"{model['failed_calls']} failed, "
        f"{model['prompt_tokens']:,} + {model['completion_tokens']:,} tokens, ${model['cost_usd']:.4f}"
    )
    say(f"  pushed     {_pairs(push['by_this_run']) or 'nothing'}; already sent before: {push['already_sent_before']}")
    told = (
        "cap_reached", "switched_off", "pinned_to_another", "refused_by_endpoint", "model_without_a_price",
        "second_model_took_over", "not_evaluated",
    )  # fmt: skip
    for key in told:
        if key in copy:
            say(f"  model copy {key.replace('_', ' ')}: {copy[key]}")
    for line in in_words(report.get("counterfactual", {})):
        say(f"  run again  {line}")
    if copy["people_waiting_for_approval"]:
        say(
            f"  waiting    {copy['people_waiting_for_approval']} people's copy waits for a person: Browse → Required Actions"
        )


def _outcome(connection: psycopg.Connection, dag_id: str, run_id: str, state: str) -> str:
    row = connection.execute(
        "SELECT upper(outcome), report ->> 'reason' FROM ops.run_report WHERE dag_id = %s AND run_id = %s", (dag_id, run_id)
    ).fetchone()
    if row is None:
        return "waiting for a person" if state == "running" else state
    return f"{row[0]}: {row[1]}" if row[1] else str(row[0])


def _figure(gate: dict[str, Any]) -> str:
    """Observed value against its limit, in the check's unit."""
    if gate.get("observed") is None:
        return "not judged"
    is_share, unit = gate.get("unit") == "share", gate.get("unit") or ""
    as_text = (lambda x: f"{x:.2%}") if is_share else (lambda x: f"{x:g} {unit}".rstrip())
    limit = f" (limit {as_text(gate['threshold'])})" if gate.get("threshold") is not None else ""
    return as_text(gate["observed"]) + limit


def _loads(loads: list[dict[str, Any]]) -> list[str]:
    """One line for each source; the days of the GA4 export are one source."""
    lines, days = [], [load for load in loads if load["source"].startswith("ga4.")]
    if days:
        names = [load["source"].rpartition("_")[2] for load in days]
        notes = sorted({load["note"] for load in days if load.get("note")})
        lines.append(_load(f"ga4.events of {len(days)} days, {names[0]} to {names[-1]}", days, notes))
    for load in loads:
        if load not in days:
            lines.append(_load(load["source"], [load], [load["note"]] if load.get("note") else []))
    return lines


def _load(what: str, loads: list[dict[str, Any]], notes: list[str]) -> str:
    dead = sum(load.get("dead_letters", 0) for load in loads)
    said = [
        f"{sum(load['rows'] for load in loads):,} rows of {what}",
        *([f"{dead} to ops.dead_letter"] if dead else []),
        *notes,
    ]
    return "; ".join(said)


def _pairs(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: -item[1]))


def _in_order(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(tasks, key=lambda task: task["start_date"] or "9")
