"""Configuration files read strictly: a typo is an error that names the file, the key and the valid keys."""

from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nurture.errors import ConfigError

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(gt=0)]
Usd = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """Base of every configuration model: unknown keys are rejected, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """Safe YAML whose dates are days that exist."""


def _timestamp(loader: _Loader, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        raise _NoSuchDay(node.start_mark.line) from None


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


class _NoSuchDay(Exception):
    """`line` counts from 0."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read_strict(path: Path, model: type[Model]) -> Model:
    """Read one YAML file into `model`, with errors that name the file, the key and the valid keys.

    Raises:
        ConfigError: as said.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found") from None
    except _NoSuchDay as error:
        said = text.splitlines()[error.line].strip().removeprefix("- ")
        raise ConfigError(
            f"{path}: line {error.line + 1}, `{said}`: there is no such day; expected year-month-day, e.g. 2026-11-30."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [f"{path}: {_explain(item, model, data)}" for item in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def _explain(item: Any, model: type[BaseModel], data: Any) -> str:
    place, key = _where(item["loc"], data)
    if item["type"] == "extra_forbidden":
        fields = _fields_at(model, item["loc"][:-1])
        return f"{place}unknown key `{key}`." + (f" Valid keys are: {', '.join(sorted(fields))}." if fields else "")
    if item["type"] == "missing":
        return f"{place}key `{key}` is missing; add it."
    if item["input"] is None or item["input"] == "":
        return f"{place}`{key}` is empty; fill it in."
    return f"{place}`{key}`: {_expected(item)}; found {str(item['input'])[:80]!r}."


def _where(loc: tuple[Any, ...], data: Any) -> tuple[str, str]:
    """Where a mistake is: the entry by its id, where entries have one, such as `facts: scan-price: `, and the key in it."""
    place, key, found = "", list[str](), data
    for step in loc:
        inside = isinstance(found, list) and isinstance(step, int) and step < len(found)
        found = found[step] if inside or (isinstance(found, dict) and step in found) else None
        if inside and isinstance(found, dict) and isinstance(found.get("id"), str):
            place, key = f"{place}{'.'.join(key)}: {found['id']}: ", []
        else:
            key.append(str(step))
    return place, ".".join(key)


def _expected(item: Any) -> str:
    """What was expected, for whoever writes YAML and not Python."""
    if item["type"] in ("tuple_type", "list_type"):
        return "expected a list in square brackets, such as [a, b]"
    if item["type"] == "string_type" and not isinstance(item["input"], (dict, list)):
        return "expected text: put it in quotes"
    if item["type"].startswith("date_"):
        return "expected a date as year-month-day, e.g. 2026-11-30"
    if item["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(item["ctx"]["pattern"], str(item["msg"]))
    return str(item["msg"])


_PATTERNS = {
    r"^[a-z][a-z0-9-]*$": "expected small letters, digits and hyphens, a letter first",
    r"^[a-z][a-z_]*$": "expected small letters and underscores, a letter first",
    r"^[a-z][a-z0-9_]*$": "expected small letters, digits and underscores, a letter first",
}
"""Patterns of names, in words."""


def _fields_at(model: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """The keys valid at `loc`, also inside lists and mappings; none when they cannot be told."""
    found: Any = model
    for part in loc:
        found = _within(found, part)
    return [field.alias or name for name, field in found.model_fields.items()] if _is_model(found) else []


def _within(annotation: Any, part: Any) -> Any:
    """The type of the value at key or place `part` of a value of type `annotation`."""
    if _is_model(annotation):
        field = annotation.model_fields.get(str(part))
        return _plain_type(field.annotation) if field else None
    given = get_args(annotation)
    return _plain_type(given[-1] if get_origin(annotation) is dict else given[0]) if given else None


def _plain_type(annotation: Any) -> Any:
    """`annotation` without what only validates it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
