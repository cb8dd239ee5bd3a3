"""`make demo`, `make stop` and `make clean`: `python -m demo up|stop|clean`."""

import argparse
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from demo import night, stack
from demo.airflow import AirflowApi, uses_real_model
from demo.fill import Wanted, fill
from demo.state import State, fresh, load
from demo.summary import print_night
from nurture.errors import NurtureError

DAGS = ("customer_data", "lead_nurture")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything, run the night, leave the UI running")
    up.add_argument("--port", type=int, default=8080, help="of the Airflow UI, when free")
    up.add_argument("--ga4-file", type=_file_or_none, default=None, help="GA4 export, NDJSON, gzipped or not")
    up.add_argument("--link", type=_share, default=0.0, help="share of the file's visitors linked to made-up CRM people")
    up.add_argument("--nights", type=_nights, default=3, help="how many of the file's last nights are run, or `all`")
    commands.add_parser("stop", help="end what `up` started")
    commands.add_parser("clean", help="end it and delete its data")
    given = parser.parse_args()
    try:
        if given.command == "up":
            _up(given)
        elif state := load():
            stack.stop(state, print)
            if given.command == "clean":
                stack.delete_data(state, print)
        else:
            print("Nothing to stop: no demo was started here.")
    except (NurtureError, RuntimeError, OSError) as error:
        sys.exit(f"make demo: {error}")


def _up(given: argparse.Namespace) -> None:
    began = time.monotonic()
    last_day = night.last_day(datetime.now(UTC))
    state = load() or fresh(given.port)
    _say("Starting (logs in .demo/) …")
    api = stack.start(state, _say)
    _say("Filling the sandbox …")
    days = fill(state, Wanted(last_day, given.ga4_file, given.link), _say)
    api.wait_for_dags(set(DAGS), 60)
    if given.ga4_file is None:
        _run_last_night(state, api, last_day)
    else:
        chosen = days if given.nights == 0 else days[-given.nights :]
        _say(f"The file spans {len(days)} nights; running {len(chosen)} of them (NIGHTS=all runs every one).")
        _run_file_nights(state, api, chosen, last_day)
    model = "the endpoint in OPENAI_BASE_URL" if uses_real_model() else "a deterministic sandbox writer, not an AI"
    print(f"\nPeople are synthetic; copy was written by {model}.")
    print(f"Airflow   {state.airflow_url}   login admin, password {state.password}")
    print(f"CRM       {state.crm_url}   what the contacts carry now")
    print(f"Warehouse {stack.postgres(state).url('warehouse')}")
    print(f"Took {time.monotonic() - began:.0f} s. `make stop` ends all of it.")


def _run_last_night(state: State, api: AirflowApi, day: date) -> None:
    for dag_id in DAGS:
        _say(f"Running {dag_id} of {day} …")
        run = night.run_last_night(api, dag_id, day, _say)
        _print(state, api, run, str(day))


def _run_file_nights(state: State, api: AirflowApi, days: list[date], last_day: date) -> None:
    for dag_id in DAGS:
        night.hold_back_scheduled_run(api, dag_id, last_day)
    for day in days:
        # The file's people did what they did long ago; a campaign would rightly keep silent.
        freshness = {"freshness_days": (last_day - day).days + 7}
        for dag_id in DAGS:
            _say(f"Running {dag_id} of {day} …")
            run = night.run_past_night(api, dag_id, day, _say, freshness if dag_id == "lead_nurture" else None)
            _print(state, api, run, str(day))
            if run["state"] == "failed":
                break


def _print(state: State, api: AirflowApi, run: dict[str, Any], day: str) -> None:
    with psycopg.connect(stack.postgres(state).url("warehouse")) as connection:
        print_night(connection, api, run=run, day=day, say=print)


def _say(text: str) -> None:
    print(text if text.startswith(("  ", "Running", "Starting", "Filling", "The file")) else f"  {text}", flush=True)


def _file_or_none(text: str) -> Path | None:
    if not text:
        return None
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"GA4_FILE={text}: no such file; expected a GA4 export as NDJSON, gzipped or not")
    return path


def _share(text: str) -> float:
    try:
        share = float(text or 0)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"LINK={text}: expected a share from 0 to 1, such as 0.4")
    return share


def _nights(text: str) -> int:
    """0 stands for all of them."""
    if text == "all":
        return 0
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"NIGHTS={text}: expected a number of nights from 1 on, or `all`")
    return int(text)


if __name__ == "__main__":
    main()
