"""Tries dead letters again that a person chose in the UI, or gives them up."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.contact_policy.seed_list import campaign_of
from nurture.operators.push_to_crm import PushToCrmOperator
from nurture.operators.triggered_by import triggered_by

if TYPE_CHECKING:
    import psycopg

    from nurture.dead_letters.letters import Answers, Asking, Letter
    from nurture.dead_letters.messages import Night
    from nurture.dead_letters.retry import Handler


class RetryDeadLettersOperator(BaseOperator):
    """Tries the letters that the run's Params choose again; what came of each is logged by its id and kept in
    `ops.dead_letter_retry`.

    One bad letter never stops the others, and one that is refused again does not turn the run red. A second attempt goes on
    where the first one ended. A message is pushed by the step of its campaign's own file, which lies beside this DAG's.
    """

    def __init__(self, *, crm_conn_id: str = "crm", warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        from nurture.dead_letters.form import GIVE_UP, read_wish
        from nurture.dead_letters.letters import Asking
        from nurture.dead_letters.retry import give_up, retry
        from nurture.errors import TerminalError

        try:
            wish = read_wish(context["params"])
        except TerminalError as error:
            raise AirflowFailException(f"Nothing was tried again: {error}") from None
        asking = Asking(context["dag"].dag_id, context["run_id"], triggered_by(context), wish.note)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            if wish.action == GIVE_UP:
                answers = give_up(connection, asking, wish.choice)
            else:
                answers = retry(connection, asking, wish.choice, self._handlers(connection, asking, context))
        outcomes: Counter[str] = Counter(answer.outcome for answer in answers.values())
        self.log.info("%d letters: %s", len(answers), dict(outcomes))
        return dict(outcomes)

    def _handlers(self, connection: "psycopg.Connection", asking: "Asking", context: Context) -> "dict[str, Handler]":
        from nurture.dead_letters.messages import MESSAGE, OUTPUT, push_again
        from nurture.dead_letters.pieces import ask_again
        from nurture.dead_letters.sources import CONTACT, COPY, NOTE, PUSH, TASK

        push = partial(self._push, context)
        return {
            PUSH: partial(push_again, connection, MESSAGE, push=push),
            NOTE: partial(push_again, connection, OUTPUT, push=push),
            TASK: partial(push_again, connection, OUTPUT, push=push),
            CONTACT: partial(self._read_contacts, connection, asking),
            COPY: partial(ask_again, connection),
        }

    def _read_contacts(
        self, connection: "psycopg.Connection", asking: "Asking", letters: "Sequence[Letter]"
    ) -> "Iterator[Answers]":
        from nurture.dead_letters.contacts import read_again
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.policy import load_policy

        policy = load_policy()
        with paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm:
            yield from read_again(connection, letters, crm, policy, asking)

    def _push(self, context: Context, night: "Night", person_ids: Sequence[str]) -> None:
        """Push what one night has for some persons as the campaign's own step does it."""
        name, day, lane = night
        step = push_step(Path(self.dag.fileloc).parent, campaign_of(name))  # of a test send too
        step.campaign, step.day, step.lane = name, day, lane
        step.push(context, only=person_ids)


def push_step(folder: Path, campaign: str) -> PushToCrmOperator:
    """The step by which `campaign` pushes, as its file in `folder` makes it.

    Raises:
        TerminalError: there is no such file, or it is no campaign's.
    """
    from airflow.dag_processing.dagbag import DagBag

    from nurture.errors import TerminalError

    dag = DagBag(folder / f"{campaign}.py", load_op_links=False).dags.get(campaign)
    step = dag.task_dict.get("push_ready") if dag else None
    if not isinstance(step, PushToCrmOperator):
        raise TerminalError(
            f"{campaign}.py, beside the file of this DAG, is missing or makes no campaign {campaign}, so nobody knows how "
            "it pushes. Put it right, or give the letter up"
        )
    return step
