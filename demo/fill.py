"""Fills the sandbox: a synthetic world, or a real GA4 export file beside synthetic CRM people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from demo import stack
from demo.airflow import DATASET, PROJECT_ID
from demo.state import State
from nurture.warehouse.dead_letter import DeadLetter, bury
from sandbox.crm.server import RunningCrm
from sandbox.ga4_export import clear, export_days
from sandbox.model.server import RunningModel
from sandbox.world import generate
from sandbox.world.contacts import Contact, contacts_for
from sandbox.world.ga4_file import link, read

Say = Callable[[str], None]
SEED = 20_261_122
PEOPLE, DAYS = 500, 14
MISTAKES = (("invented_price", 0.05), ("flagged_claim", 0.04))  # so that guardrails and approval have work to show


@dataclass(frozen=True)
class Wanted:
    """What the sandbox is to hold. `ga4_file` None: the synthetic world."""

    last_day: date
    ga4_file: Path | None = None
    link_share: float = 0.0

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Equal for equal worlds: what is in the sandbox already is not filled in again."""
        if self.ga4_file is None:
            return {"kind": "synthetic", "last_day": str(self.last_day), "seed": SEED, "people": PEOPLE}
        stat = self.ga4_file.stat()
        return {"kind": "file", "path": str(self.ga4_file.resolve()), "bytes": stat.st_size, "changed": stat.st_mtime,
                "link_share": self.link_share}  # fmt: skip


def fill(state: State, wanted: Wanted, say: Say) -> list[date]:
    """Make the sandbox hold what is wanted, from an empty warehouse on; returns the days that have events."""
    if state.world.get("fingerprint") == wanted.fingerprint and stack.holds_events(state):
        days = [date.fromisoformat(day) for day in state.world["days"]]
        say(f"the sandbox already holds {state.world['said']}")
    else:
        if state.world:
            say("another world moves in: warehouse and sandbox are emptied first")
        state.world = {}
        state.save()
        stack.empty_databases(state)
        RunningCrm(state.crm_url).admin("reset", {})
        clear(**_export(state))
        days, said = _fill_from_file(state, wanted, wanted.ga4_file) if wanted.ga4_file else _fill_with_world(state, wanted)
        state.world = {"fingerprint": wanted.fingerprint, "days": [str(day) for day in days], "said": said}
        state.save()
        say(f"the sandbox holds {said}")
    _tell_model_to_err(state)
    return days


def _fill_with_world(state: State, wanted: Wanted) -> tuple[list[date], str]:
    world = generate(people=PEOPLE, days=DAYS, last_day=wanted.last_day, seed=SEED)
    crm = RunningCrm(state.crm_url)
    crm.seed([contact.as_seed() for contact in world.contacts])
    _merge(crm, world.merges)
    rows = export_days({day: world.events(day) for day in world.days}, **_export(state))
    return list(
        world.days
    ), f"{len(world.contacts)} synthetic contacts and {rows:,} synthetic events of {len(world.days)} days"


def _fill_from_file(state: State, wanted: Wanted, path: Path) -> tuple[list[date], str]:
    file = read(path)
    if not file.days:
        raise RuntimeError(f"{path}: no usable GA4 row; first bad line: {file.bad[0].reason if file.bad else 'it is empty'}")
    keys = link(file, wanted.link_share, SEED)
    contacts = contacts_for(keys, SEED, last_day=file.days[-1]) if keys else _strangers(wanted.last_day)
    RunningCrm(state.crm_url).seed([contact.as_seed() for contact in contacts])
    rows = export_days({day: file.rows(day) for day in file.days}, **_export(state))
    with psycopg.connect(stack.postgres(state).url("warehouse")) as connection:
        letters = [DeadLetter("ga4.file", bad.key, bad.reason, bad.field, {"raw": bad.raw}) for bad in file.bad]
        bury(connection, letters)
    linked = f"{len(keys)} of {len(file.visitors)} visitors linked to made-up CRM people (LINK={wanted.link_share:g})"
    refused = f"; {len(file.bad)} lines refused, in ops.dead_letter" if file.bad else ""
    said = f"{rows:,} real GA4 events of {len(file.days)} days from {file.name}; {linked}{refused}"
    return file.days, f"{said}; {len(contacts)} synthetic contacts"


def _strangers(last_day: date) -> tuple[Contact, ...]:
    """CRM people who have nothing to do with the file's visitors."""
    return generate(people=PEOPLE, days=DAYS, last_day=last_day, seed=SEED).contacts


def _export(state: State) -> dict[str, Any]:
    return {"rest_url": stack.bigquery(state).rest_url, "project": PROJECT_ID, "dataset": DATASET}


def _merge(crm: RunningCrm, merges: tuple[tuple[int, int], ...]) -> None:
    import httpx

    for survivor, loser in merges:
        body = {"primaryObjectId": str(survivor), "objectIdToMerge": str(loser)}
        httpx.post(f"{crm.url}/crm/v3/objects/contacts/merge", json=body, headers=crm.headers).raise_for_status()


def _tell_model_to_err(state: State) -> None:
    """The sandbox writer errs now and then, by a fixed seed: an invented price is refused, a discount waits for a person."""
    model = RunningModel(state.model_url)
    model.admin("reset", {})
    for mode, probability in MISTAKES:
        model.misbehave(mode, probability=probability, seed=SEED)
