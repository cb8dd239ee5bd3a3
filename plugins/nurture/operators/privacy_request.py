"""The steps of a request to erase a person, or to hand out what is kept of them. Counts go to XCom, never an address."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from nurture.operators.triggered_by import triggered_by


class FindPersonOperator(BaseOperator):
    """Gathers every identifier of the person whom the Params name; for an erasure, sets the tombstones at once.

    A run that follows one that was killed takes up its request. The identifiers stay in `ops.privacy_subject` until the
    request is done; XCom carries the request's id, the action and counts.
    """

    def __init__(self, *, warehouse_conn_id: str = "warehouse", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        from nurture.errors import TerminalError
        from nurture.privacy.requests import identifiers, open_request, read_form

        params, asked_by = context["params"], triggered_by(context)
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            try:
                action, named = read_form(params)
                request_id = open_request(
                    connection, action, named, asked_by=asked_by, ticket=params.get("ticket"), run_id=context["run_id"]
                )
            except TerminalError as error:
                raise AirflowFailException(f"Nothing was done: {error}") from None
            known = identifiers(connection, request_id)
        self.log.info("Request %d (%s), identifiers found: %s", request_id, action, known)
        return {"request_id": request_id, "action": action, "identifiers": known}


class RequestStep(BaseOperator):
    """A step of a request.

    Args:
        request_id: of `ops.privacy_request`, templated.
        action: what was asked for, templated; a step of another action is skipped.
        wanted: the action of which this is a step.
    """

    template_fields: Sequence[str] = ("request_id", "action")

    def __init__(
        self,
        *,
        request_id: str,
        action: str,
        wanted: str | None = None,
        crm_conn_id: str = "crm",
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.request_id = request_id
        self.action = action
        self.wanted = wanted
        self.crm_conn_id = crm_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> Any:  # noqa: ARG002
        if self.wanted not in (None, self.action):
            raise AirflowSkipException(f"this is a request to {self.action}")
        with PostgresHook(postgres_conn_id=self.warehouse_conn_id).get_conn() as connection:
            done = self.step(connection, int(self.request_id))
        self.log.info("Request %s: %s", self.request_id, done)
        return done

    def step(self, connection: Any, request_id: int) -> Any:
        """What this step does; its answer goes to XCom."""
        raise NotImplementedError


class EraseInCrmOperator(RequestStep):
    """Deletes the person's contacts in HubSpot for good and reads them back; those that are gone already are as good."""

    def step(self, connection: Any, request_id: int) -> dict[str, int]:
        from nurture.hooks.crm_erasure import erase_contacts
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.policy import load_policy
        from nurture.privacy.requests import crm_ids, note, report

        asked = crm_ids(connection, request_id)
        with paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=load_policy().crm) as crm:
            done = asdict(erase_contacts(crm, asked))
        if "crm" not in report(connection, request_id):  # of a request that was taken up, the first time counts
            note(connection, request_id, crm=done)
        return done


class EraseInWarehouseOperator(RequestStep):
    """Deletes or pseudonymises the person's rows in every table, as `include/personal_data.yaml` says, or in none."""

    def step(self, connection: Any, request_id: int) -> dict[str, int]:
        from nurture.privacy.data_map import load_data_map
        from nurture.privacy.erasure import erase

        return erase(connection, load_data_map(), request_id)


class VerifyErasureOperator(RequestStep):
    """Searches every table for what is left of the person; if nothing is, forgets the identifiers and closes the request."""

    def step(self, connection: Any, request_id: int) -> dict[str, int]:
        from nurture.privacy.data_map import load_data_map
        from nurture.privacy.leftovers import leftovers
        from nurture.privacy.requests import close_request

        if left := leftovers(connection, load_data_map(), request_id):
            rows = ", ".join(f"{name}: {count}" for name, count in left.items())
            raise AirflowFailException(
                f"request {request_id} is not done, for rows still name the person: {rows}. A table of ours: correct its "
                "entry in include/personal_data.yaml. A table of somebody else's: have them erase it there. Then clear "
                "erase_in_warehouse and what follows"
            )
        close_request(connection, request_id)
        return left


class ExportPersonOperator(RequestStep):
    """Puts what is kept of the person, here and in the CRM, into one document of `ops.privacy_export`."""

    def step(self, connection: Any, request_id: int) -> dict[str, int]:
        from nurture.hooks.hubspot import paced_hubspot
        from nurture.operators.push_to_crm import LABELS
        from nurture.policy import load_policy
        from nurture.privacy.data_map import load_data_map
        from nurture.privacy.export import export
        from nurture.privacy.requests import crm_ids
        from nurture.warehouse.crm_contact_rows import wanted_properties

        policy = load_policy()
        with paced_hubspot(self.crm_conn_id, self.warehouse_conn_id, policy=policy.crm) as crm:
            contacts = crm.batch_read(crm_ids(connection, request_id), [*wanted_properties(policy.consent), *LABELS])
        properties = {crm_id: dict(contact.properties) for crm_id, contact in contacts.items()}
        return export(connection, load_data_map(), request_id, crm=properties)


class ReportRequestOperator(RequestStep):
    """Says what was done, by whom it was asked and when: counts only, as kept in `ops.privacy_request`."""

    def step(self, connection: Any, request_id: int) -> dict[str, Any]:
        from nurture.privacy.requests import report

        return report(connection, request_id)
