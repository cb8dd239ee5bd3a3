"""SQL files of `include/sql` as one step of a night."""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator


class RunStatements(SQLExecuteQueryOperator):
    """Runs SQL files in order, in one transaction, with bound parameters; the rendered SQL is shown in the UI.

    Args:
        statements: paths below `include/sql`, e.g. `marts/new_person.sql`.
        parameters: values bound by name; strings among them are templated.
    """

    def __init__(
        self,
        *,
        statements: Sequence[str],
        parameters: Mapping[str, Any],
        warehouse_conn_id: str = "warehouse",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            sql=list(statements), parameters=parameters, conn_id=warehouse_conn_id, do_xcom_push=False, **kwargs
        )
        self.statements = statements
