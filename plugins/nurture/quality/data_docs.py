"""Great Expectations' own page of one gate. Importing this module imports it (seconds).

Its stock page loads styles and scripts from five other sites, and would be bare offline: `data_docs_page.j2` stands in
for the frame, with styles inline and no script; everything within the frame is rendered by Great Expectations.
"""

import datetime
from functools import cache
from pathlib import Path
from typing import Any

from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader


def render_page(suite_results: list[Any], *, gate: str, day: datetime.date) -> str:
    """One HTML page of all tables that a gate judged, complete in itself."""
    documents = [ValidationResultsPageRenderer(run_info_at_end=True).render(result) for result in suite_results]
    tables = [
        {"name": document.expectation_suite_name, "sections": document.to_json_dict()["sections"]} for document in documents
    ]
    return str(_templates().get_template("data_docs_page.j2").render(tables=tables, gate=gate, day=day))


@cache
def _templates() -> Any:
    """Great Expectations' templates, and before them those of this folder."""
    environment = DefaultJinjaPageView().env
    environment.loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent), environment.loader])
    return environment
