"""The batch APIs of the sandbox as the vendors' own clients see them."""

import io
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from sandbox.model import RunningModel

pytestmark = pytest.mark.slow  # batches take their time

MODEL = "sandbox-writer-1"
SCHEMA = {"type": "object", "properties": {"body": {"type": "string"}}, "required": ["body"], "additionalProperties": False}


@pytest.fixture
def messages(model: RunningModel) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=model.root, api_key=model.api_key, max_retries=0) as client:
        yield client.messages


def line(custom_id: str, **body: Any) -> dict[str, Any]:
    wanted = {"type": "json_schema", "json_schema": {"name": "copy", "strict": True, "schema": SCHEMA}}
    asked = {"model": MODEL, "messages": [{"role": "user", "content": f"Write {custom_id}."}], "response_format": wanted}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": asked | body}


def create(client: openai.OpenAI, *lines: dict[str, Any], **more: Any) -> Any:
    content = "\n".join(json.dumps(one) for one in lines).encode()
    file = client.files.create(file=("requests.jsonl", io.BytesIO(content)), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", **more)


def content(client: openai.OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    assert file_id is not None
    return [json.loads(one) for one in client.files.content(file_id).text.split("\n") if one]


def test_a_batch_answers_each_request_as_if_it_came_alone(client: openai.OpenAI) -> None:
    made = create(client, line("a"), line("b"), metadata={"key": "k"})
    ended = client.batches.retrieve(made.id)

    alone = client.chat.completions.create(**line("b")["body"])
    answers = {one["custom_id"]: one["response"] for one in content(client, ended.output_file_id)}
    assert (made.status, ended.status, ended.metadata) == ("validating", "completed", {"key": "k"})
    assert (ended.request_counts.total, ended.request_counts.completed, ended.error_file_id) == (2, 2, None)
    assert answers["b"]["status_code"] == 200
    assert answers["b"]["body"]["choices"][0]["message"]["content"] == alone.choices[0].message.content
    assert answers["b"]["body"]["usage"]["total_tokens"] == alone.usage.total_tokens


def test_a_batch_takes_the_time_that_it_is_told(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"seconds": 3600})

    made = create(client, line("a"))

    now = client.batches.retrieve(made.id)
    assert (now.status, now.output_file_id) == ("in_progress", None)


def test_an_expired_batch_gives_its_finished_part_and_names_the_rest(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"expires": True, "done_share": 0.5})

    ended = client.batches.retrieve(create(client, *(line(one) for one in "abcd")).id)

    assert ended.status == "expired"
    assert [one["custom_id"] for one in content(client, ended.output_file_id)] == ["a", "b"]
    assert [one["error"]["code"] for one in content(client, ended.error_file_id)] == ["batch_expired"] * 2


def test_a_cancelled_batch_gives_its_finished_part_and_cannot_be_cancelled_again(
    client: openai.OpenAI, model: RunningModel
) -> None:
    model.admin("batches", {"seconds": 3600, "done_share": 0.5})
    made = create(client, line("a"), line("b"))

    ended = client.batches.cancel(made.id)

    assert ended.status == "cancelled"
    assert [one["custom_id"] for one in content(client, ended.output_file_id)] == ["a"]
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(made.id)


def test_single_requests_fail_in_the_error_file(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"error_share": 0.25})

    ended = client.batches.retrieve(create(client, *(line(one) for one in "abc"), line("d", temperature=9)).id)

    assert ended.status == "completed"
    assert {one["custom_id"]: one["response"]["status_code"] for one in content(client, ended.error_file_id)} == {"d": 500}


def test_a_request_that_is_malformed_fails_alone(client: openai.OpenAI) -> None:
    ended = client.batches.retrieve(create(client, line("a"), line("b", temperature=9)).id)

    assert {one["custom_id"]: one["response"]["status_code"] for one in content(client, ended.error_file_id)} == {"b": 400}


@pytest.mark.parametrize(
    ("lines", "code"),
    [((line("a"), line("a")), "duplicate_custom_id"), (({"custom_id": "a"},), "invalid_json_line"),
     ((line("a"), line("b", model="other")), "mismatched_model"), ((line("a") | {"url": "/v1/x"},), "mismatched_url")],
)  # fmt: skip
def test_one_mistake_in_the_file_fails_the_whole_batch(client: openai.OpenAI, lines: Any, code: str) -> None:
    ended = client.batches.retrieve(create(client, *lines).id)

    assert ended.status == "failed"
    assert code in [error.code for error in ended.errors.data]
    assert ended.output_file_id is None


def test_a_lost_answer_leaves_a_batch_and_a_refused_one_does_not(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"lost_answers": 1})
    with pytest.raises(openai.APIConnectionError):
        create(client, line("a"))
    model.admin("batches", {"refused_creates": 1})
    with pytest.raises(openai.InternalServerError):
        create(client, line("b"))

    assert [one["custom_ids"] for one in model.admin("batches")] == [["a"]]
    assert len(client.batches.list().data) == 1


def test_the_list_is_newest_first_in_pages(client: openai.OpenAI) -> None:
    made = [create(client, line("a")).id for _ in range(3)]

    page = client.batches.list(limit=2)

    assert [one.id for one in page.data] == made[:0:-1]
    assert [one.id for one in client.batches.list(limit=2)] == made[::-1]


def test_a_new_batch_may_be_missing_from_the_list_and_by_its_id(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"list_lag_seconds": 3600, "hidden_seconds": 3600})

    made = create(client, line("a"))

    assert client.batches.list().data == []
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve(made.id)


def test_results_may_come_in_another_order(client: openai.OpenAI, model: RunningModel) -> None:
    model.admin("batches", {"shuffle": True})
    names = [f"r{number:02d}" for number in range(20)]

    ended = client.batches.retrieve(create(client, *(line(one) for one in names)).id)

    given = [one["custom_id"] for one in content(client, ended.output_file_id)]
    assert sorted(given) == names
    assert given != names


def asked(name: str, **params: Any) -> dict[str, Any]:
    """Arguments of `messages.create`."""
    return {
        "model": "sandbox-scribe-1",
        "max_tokens": 300,
        "messages": [{"role": "user", "content": f"Write {name}."}],
        **params,
    }


def make(messages: Any, *names: str, **params: Any) -> Any:
    return messages.batches.create(requests=[{"custom_id": name, "params": asked(name, **params)} for name in names])


def test_a_message_batch_answers_each_request_as_if_it_came_alone(messages: Any) -> None:
    made = make(messages, "a", "b")
    ended = messages.batches.retrieve(made.id)

    results = {line.custom_id: line.result for line in messages.batches.results(made.id)}
    alone = messages.create(**asked("b"))
    assert (made.processing_status, made.results_url) == ("in_progress", None)
    assert (ended.processing_status, ended.request_counts.succeeded, ended.request_counts.processing) == ("ended", 2, 0)
    assert results["b"].message.content[0].text == alone.content[0].text
    assert results["b"].message.usage == alone.usage


def test_a_message_batch_may_expire_or_be_cancelled_half_way(messages: Any, model: RunningModel) -> None:
    model.admin("batches", {"expires": True, "done_share": 0.5})
    expired = make(messages, "a", "b")
    assert messages.batches.retrieve(expired.id).request_counts.expired == 1
    model.admin("batches", {"seconds": 3600, "done_share": 0.5})
    running = make(messages, "c", "d")

    asked_to_end = messages.batches.cancel(running.id)

    assert asked_to_end.processing_status == "canceling"
    assert messages.batches.retrieve(running.id).request_counts.canceled == 1
    assert {line.custom_id: line.result.type for line in messages.batches.results(running.id)} == {
        "c": "succeeded", "d": "canceled"
    }  # fmt: skip


def test_a_malformed_message_fails_in_the_results_and_a_bad_custom_id_at_once(messages: Any) -> None:
    made = make(messages, "a", temperature=0)

    [line] = messages.batches.results(made.id)
    with pytest.raises(anthropic.BadRequestError, match="custom_id"):
        make(messages, "not ok")
    assert (line.result.type, line.result.error.error.type) == ("errored", "invalid_request_error")


def test_message_batches_are_listed_newest_first_in_pages_apart_from_the_other_vendors(
    messages: Any, client: openai.OpenAI
) -> None:
    create(client, line("a"))
    made = [make(messages, "a").id for _ in range(3)]

    assert [one.id for one in messages.batches.list(limit=2)] == made[::-1]
    assert len(client.batches.list().data) == 1


def test_a_message_batch_may_be_made_without_an_answer(messages: Any, model: RunningModel) -> None:
    model.admin("batches", {"lost_answers": 1})

    with pytest.raises(anthropic.APIConnectionError):
        make(messages, "a")

    assert len(messages.batches.list().data) == 1
