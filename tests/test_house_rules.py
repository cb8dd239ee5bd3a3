"""House rules: what a DAG of this project must be like. Each message names the culprit."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from dags_under_test import FOLDER, dag_bag

PROJECT = FOLDER.parent
DAG_IDS = {
    "customer_data", "lead_nurture", "consent_sync", "set_switch", "set_suppression", "evaluate_prompt",
    "retry_dead_letters", "privacy_request", "apply_retention", "unmerge_person",
}  # fmt: skip


def test_the_dags_are_exactly_these() -> None:
    assert set(dag_bag().dags) == DAG_IDS, "a DAG appeared or vanished: add it here and to README's table"
    assert dag_bag().import_errors == {}


def test_every_file_in_dags_yields_the_dag_of_its_name() -> None:
    for path in FOLDER.glob("*.py"):
        dag = dag_bag().dags.get(path.stem)
        assert dag is not None, (
            f"{path.name} yields no DAG named {path.stem}: does it contain the words `airflow` and `dag`?"
        )
        assert dag.doc_md and dag.doc_md.startswith("# "), f"{path.name}: the docstring is the documentation in the UI"


def test_every_task_has_owner_retries_and_documentation() -> None:
    for dag in dag_bag().dags.values():
        for task in dag.tasks:
            name = f"{dag.dag_id}.{task.task_id}"
            assert task.owner not in ("", "airflow"), f"{name} has no owner"
            assert task.doc_md, f"{name} has no doc_md"
            if task.task_id == "report_run":
                assert task.retries == 0, f"{name}: a report that fails says that the night failed; again is the same"
            else:
                assert task.retries >= 1, f"{name} has no retries"


def test_a_missing_sql_file_is_an_error() -> None:
    for dag in dag_bag().dags.values():
        for task in dag.tasks:
            for name in getattr(task, "statements", []):
                path = PROJECT / "include" / "sql" / name
                assert path.is_file(), f"{dag.dag_id}.{task.task_id}: {path} does not exist"


def test_every_sql_file_says_what_it_reads_and_writes() -> None:
    for path in (PROJECT / "include" / "sql").rglob("*.sql"):
        if "migrations" not in path.parts:
            head = path.read_text().split("\n\n")[0]
            missing = [word for word in ("Grain", "Writes") if word.lower() not in head.lower()]
            assert not missing, f"{path.relative_to(PROJECT)}: the comment on top lacks {missing}"


def test_parsing_does_no_io_needs_no_connection_and_is_quick() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_CONN_")}
    run = subprocess.run(
        [sys.executable, PROJECT / "tests" / "parse_alone.py", PROJECT, *FOLDER.glob("*.py")],
        capture_output=True,
        text=True,
        env={**kept, "PYTHONPATH": f"{PROJECT / 'plugins'}"},
    )

    assert run.returncode == 0, run.stderr[-2000:]
    parsed = [json.loads(line) for line in run.stdout.strip().splitlines()[-len(DAG_IDS) :]]
    assert {Path(found["path"]).stem for found in parsed} == DAG_IDS
    for found in parsed:
        path = found["path"]
        assert found["opened"] == [], f"{path}: parsing reads files or connects"
        assert found["heavy"] == [], f"{path}: parsing imports heavy libraries; import them inside execute()"
    # One process pays for the package once: together they must stay below what one may take.
    seconds = sum(found["seconds"] for found in parsed)
    assert seconds < 2, f"{seconds:.2f} s of processor time to parse dags/ beyond Airflow's own import"


def test_airflow_discovers_one_plugin_file_only() -> None:
    ignored = (PROJECT / "plugins" / ".airflowignore").read_text().split()

    assert "nurture" in " ".join(ignored), (
        "plugins/.airflowignore must list the package, or Airflow executes it file by file"
    )
    assert [path.name for path in (PROJECT / "plugins").glob("*.py")] == ["nurture_plugin.py"]


def test_the_readme_table_of_dags_matches() -> None:
    table = (PROJECT / "README.md").read_text().split("| DAG |")[1].split("\n\n")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))

    assert listed == DAG_IDS


def test_thresholds_of_the_brief_stand_in_the_policy_only() -> None:
    for path in (PROJECT / "plugins" / "nurture").rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"\b0\.0[25]\b", text), f"{path.name}: a gate's threshold belongs into include/policy.yaml"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "common", "manager", "misc"}
    for path in (PROJECT / "plugins").rglob("*.py"):
        assert path.stem not in drawers, f"{path}: name the module after the one idea that it holds"


def test_nothing_committed_names_a_path_of_this_machine() -> None:
    home = str(Path.home())
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        path = PROJECT / name
        if path.is_file() and path.suffix not in (".png", ".gz"):
            text = path.read_text(errors="ignore")
            assert str(PROJECT.parent) + "/" not in text, f"{name} names a path of this machine"
            assert home == "/" or f"{home}/" not in text or name == ".gitignore", f"{name} names a path of this machine"
