"""The structural check of docker-compose.yaml finds what it is there to find."""

import pytest

from check_compose import COMPOSE, problems


def test_the_shipped_file_has_no_problems() -> None:
    assert problems(COMPOSE.read_text()) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("127.0.0.1:8080:8080", "8080:8080", "airflow-apiserver: port 8080:8080 is open to the world"),
        ("    redis:\n      condition", "    rediss:\n      condition", "needs rediss, which is no service"),
        ("- ./dags:", "- ./dogs:", "./dogs does not exist"),
        ("- logs:", "- lags:", "volume lags is not declared"),
        ("${AIRFLOW_FERNET_KEY", "${FERNET", ".env.example lacks FERNET"),
        ("    image: redis:8-alpine\n", "", "redis: has neither image nor build"),
    ],
)
def test_a_mistake_is_named(right: str, wrong: str, found: str) -> None:
    text = COMPOSE.read_text()
    assert right in text

    assert any(found in problem for problem in problems(text.replace(right, wrong)))
