"""Tries dead letters again that a person chose in the UI, or gives them up."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from nurture.operators.push_to_crm import PushToCrmOperator

if TYPE_CHECKING:
    import psycopg

    from nurture.dead_letters.letters import Answers, Asking, Letter
    from nurture.dead_letters.messages import Night
    from nurture.dead_letters.retry import Handler


class RetryDeadLettersOperator(BaseOperator):
    """Tries the letters that the run's Params choose again; what came of each is logged by its id and kept in
    `ops.dead_letter_retry`.

    One bad letter never stops the others, and one that is refused again does not turn the run red. A second attempt goes on
    where the first one ended.

    Args:
        campaigns: by name, what their `PushToCrmOperator`s are given besides campaign, lane and day.
    """

    def __init__(
        self,
        *,
        campaigns: Mapping[str, Mapping[str, Any]],
        crm_conn_id: str = "crm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.campaigns = campaigns
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
        asked_by = getattr(context["dag_run"], "triggering_user_name", None) or "nobody who is known"
        asking = Asking(context["dag"].dag_id, context["run_id"], asked_by, wish.note)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            if wish.action == GIVE_UP:
                answers = give_up(connection, asking, wish.choice)
            else:
                answers = retry(connection, asking, wish.choice, self._handlers(connection, asking, context))
        outcomes: Counter[str] = Counter(answer.outcome for answer in answers.values())
        self.log.info("%d letters: %s", len(answers), dict(outcomes))
        return dict(outcomes)

    def _handlers(self, connection: "psycopg.Connection", asking: "Asking", context: Context) -> "dict[str, Handler]":
        from nurture.dead_letters import messages, outputs, pieces
        from nurture.dead_letters.sources import CONTACT, COPY, NOTE, PUSH, TASK

        return {
            PUSH: partial(messages.push_again, connection, push=partial(self._push, context)),
            NOTE: partial(outputs.write_again, connection, push=partial(self._push, context)),
            TASK: partial(outputs.write_again, connection, push=partial(self._push, context)),
            CONTACT: partial(self._read_contacts, connection, asking),
            COPY: partial(pieces.ask_again, connection),
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
        from nurture.contact_policy.seed_list import campaign_of
        from nurture.errors import TerminalError

        name, day, lane = night
        campaign = campaign_of(name)  # of a test send too
        if campaign not in self.campaigns:
            raise TerminalError(
                f"{campaign} is no campaign that this DAG knows ({', '.join(self.campaigns)}): add it to "
                "dags/retry_dead_letters.py"
            )
        step = PushToCrmOperator(
            task_id=f"push_{campaign}_{day}_{lane}", campaign=name, day=day, lane=lane, crm_conn_id=self.crm_conn_id,
            warehouse_conn_id=self.warehouse_conn_id, **self.campaigns[campaign],
        )  # fmt: skip
        step.push(context, only=person_ids)
