"""The commands of docs/marketers.md: what is missing or down is said in one line, not in a traceback."""

from collections.abc import Callable
from types import ModuleType
from uuid import uuid4

import pytest

from demo.postgres import EmbeddedPostgres, free_port
from nurture.copywriting import evaluation, model_card, release
from sandbox.model import RunningModel

Command = Callable[..., str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in an environment without warehouse and key but for what is given; gives what it ended with."""
    for name in ("NURTURE_WAREHOUSE_URL", "AIRFLOW_CONN_WAREHOUSE", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(module: ModuleType, *arguments: str, **environment: str) -> str:
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            module.main()
        code = ended.value.code
        return f"{capsys.readouterr().out}{int(code)}" if isinstance(code, int) else str(code)

    return run


@pytest.fixture
def unmigrated(postgres: EmbeddedPostgres) -> str:
    name = f"empty_{uuid4().hex[:8]}"
    postgres.create_database(name)
    return postgres.url(name)


V3 = ("lead_nurture@v3",)
EVALUATION = ("lead_nurture@v3", "--model", "sandbox-writer-1")


@pytest.mark.parametrize("module", [evaluation, release, model_card], ids=lambda module: module.__name__)
def test_help_says_what_the_command_does(command: Command, module: ModuleType) -> None:
    said = command(module, "--help")

    assert said.startswith(f"usage: python -m {module.__name__} [-h]") and said.endswith("0")


def test_an_unknown_template_is_named_with_those_that_there_are(command: Command) -> None:
    said = command(release, "lead_nurture@v99")

    assert "there is no template lead_nurture@v99. Templates are: blog_brief@v1" in said


def test_a_missing_key_is_asked_for_before_the_warehouse(command: Command) -> None:
    assert (
        command(evaluation, *EVALUATION) == "No key given: set OPENAI_API_KEY, and OPENAI_BASE_URL where it is not OpenAI's."
    )


@pytest.mark.parametrize(("module", "arguments"), [(evaluation, EVALUATION), (release, V3)])
def test_a_warehouse_that_is_not_there_is_said_in_one_line_without_the_password(
    command: Command, module: ModuleType, arguments: tuple[str, ...]
) -> None:
    down = f"postgresql://somebody:secret@127.0.0.1:{free_port()}/warehouse"

    unnamed = command(module, *arguments, OPENAI_API_KEY="x")
    unreachable = command(module, *arguments, NURTURE_WAREHOUSE_URL=down)
    senseless = command(module, *arguments, NURTURE_WAREHOUSE_URL="the secret warehouse")

    assert unnamed.startswith("No warehouse given: set NURTURE_WAREHOUSE_URL to postgresql://")
    assert unreachable.startswith("The warehouse does not answer: ") and unreachable.endswith(
        "correct NURTURE_WAREHOUSE_URL."
    )
    assert senseless.startswith("What NURTURE_WAREHOUSE_URL says is no URL; expected postgresql://")
    for said in (unreachable, senseless):
        assert "\n" not in said and "secret" not in said


@pytest.mark.parametrize(("module", "arguments"), [(evaluation, EVALUATION), (release, V3)])
def test_a_warehouse_without_the_schema_is_told_what_to_run(
    command: Command, module: ModuleType, arguments: tuple[str, ...], unmigrated: str
) -> None:
    said = command(module, *arguments, OPENAI_API_KEY="x", NURTURE_WAREHOUSE_URL=unmigrated)

    assert said.startswith('The warehouse has not the current schema (relation "ops.')
    assert "python -m nurture.warehouse.migrate $NURTURE_WAREHOUSE_URL" in said and "\n" not in said


def test_an_evaluation_by_command_prints_the_report(
    command: Command, sandbox_model: RunningModel, warehouse_url: str
) -> None:
    key = {"OPENAI_API_KEY": sandbox_model.api_key, "OPENAI_BASE_URL": sandbox_model.url}

    said = command(
        evaluation, "meta_description@v1", "--model", "sandbox-writer-1", NURTURE_WAREHOUSE_URL=warehouse_url, **key
    )

    assert "# Evaluation of meta_description@v1: passed: it may be released" in said and said.endswith("0")
