"""Rows to HTML. Everything is escaped: what a CRM or a model wrote is never markup."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

CSS = Path(__file__).parent / "scorecard.css"


def render(page: str, **values: Any) -> str:
    """The page `<page>.html` of this folder."""
    return _environment().get_template(f"{page}.html").render(css=CSS.read_text(encoding="utf-8"), **values)


def figure(value: Any, unit: str) -> str:
    """A figure for people: `4.2 %`, `1,204 rows`, or a dash."""
    if value is None:
        return "–"
    return f"{100 * value:.4g} %" if unit == "share" else f"{value:,.10g} {unit}"


def words(key: object) -> str:
    """`people_with_model_copy` as `People with model copy`."""
    text = str(key).replace("_", " ")
    return text[:1].upper() + text[1:]


def shape(value: Any) -> str:
    """How a value of the report is drawn: `table` (a list of mappings), `pairs` (a mapping), `list` or `text`."""
    if isinstance(value, dict):
        return "pairs"
    if isinstance(value, list):
        return "table" if value and all(isinstance(item, dict) for item in value) else "list"
    return "text"


def columns(rows: list[dict[str, Any]]) -> list[str]:
    """The keys of all rows, in the order in which they first appear."""
    return list(dict.fromkeys(key for row in rows for key in row))


def parts(output: dict[str, Any]) -> list[str]:
    """The parts of a stored piece as a reader meets them: the store does not keep their order."""
    order = ("headline", "body", "cta")
    names = set(output) - {"cited_fact_ids", "citations"}
    return [*(name for name in order if name in names), *sorted(names - set(order))]


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"figure": figure, "words": words, "shape": shape, "columns": columns, "parts": parts}
    return environment
