"""Two expectations that Great Expectations lacks: a measure in SQL below a limit, and columns of given types.

Importing this module imports Great Expectations (seconds): only `nurture.quality.gate` does, when a gate runs.
"""

import html
from typing import Any, ClassVar

import sqlalchemy
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation, render_suite_parameter_string
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render import LegacyDiagnosticRendererType, LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from nurture.quality.verdict import figure, without_addresses


class Measure(TableMetricProvider):  # type: ignore[misc]
    """The one row of a measure: `observed`, `found`, `sample_keys`, and `only_warns` where it may be about too few rows to
    stop a night. Values are bound, never formatted in.
    """

    metric_name = "nurture.measure"
    value_keys = ("statement", "parameters")

    @metric_value(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls,
        execution_engine: Any,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],  # noqa: ARG002
        runtime_configuration: dict[str, Any],  # noqa: ARG002
    ) -> dict[str, Any]:
        execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        statement = sqlalchemy.text(metric_value_kwargs["statement"]).bindparams(**metric_value_kwargs["parameters"])
        return dict(execution_engine.execute_query(statement).mappings().one())


class _JudgedByFigure(BatchExpectation):  # type: ignore[misc]
    """Shown in Data Docs as its description and its figure."""

    threshold: float
    unit: str

    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    def _judge(
        self, observed: float | None, found: str, sample_keys: list[str], *, only_warns: bool = False
    ) -> dict[str, Any]:
        keys = [without_addresses(key) for key in sample_keys]
        details = {"found": without_addresses(found), "sample_keys": keys, "only_warns": only_warns}
        is_within = observed is None or observed == 0 or observed < self.threshold
        return {"success": is_within, "result": {"observed_value": observed, "details": details}}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    @render_suite_parameter_string  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(cls, configuration: Any = None, **_: Any) -> list[Any]:
        template = {"template": "$words", "params": {"words": configuration.description or configuration.type}}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)  # type: ignore[untyped-decorator]
    def _diagnostic_observed_value_renderer(cls, result: Any = None, **_: Any) -> str:
        shown = figure(result.result.get("observed_value"), result.expectation_config.kwargs["unit"])
        found = result.result.get("details", {}).get("found", "")
        return html.escape(f"{shown}: {found}" if found else shown)  # event names come from outside


class ExpectMeasureBelow(_JudgedByFigure):
    """The figure that one SQL statement measures is below a limit, or 0; no figure means that it was not judged."""

    statement: str
    parameters: dict[str, Any]

    metric_dependencies: ClassVar[tuple[str, ...]] = ("nurture.measure",)
    success_keys: ClassVar[tuple[str, ...]] = ("statement", "parameters", "threshold", "unit")

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        row = metrics["nurture.measure"]
        only_warns = bool(row.get("only_warns"))
        return self._judge(row["observed"], row["found"], row["sample_keys"], only_warns=only_warns)


class ExpectColumnTypes(_JudgedByFigure):
    """The table has these columns, of these PostgreSQL types; others may stand beside them."""

    types: dict[str, str]

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.column_types",)
    success_keys: ClassVar[tuple[str, ...]] = ("types", "threshold", "unit")

    def _validate(self, metrics: dict[str, Any], **_: Any) -> dict[str, Any]:
        actual = {column["name"]: str(column["type"]).lower() for column in metrics["table.column_types"]}
        wrong = {name: actual.get(name) for name, wanted in self.types.items() if actual.get(name) != wanted}
        words = [
            f"{name} is missing" if is_now is None else f"{name} is {is_now}, expected {self.types[name]}"
            for name, is_now in wrong.items()
        ]
        return self._judge(float(len(wrong)), "; ".join(words) or f"{len(self.types)} columns as expected", list(wrong))
