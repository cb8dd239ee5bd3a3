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


def read_strict(path: Path, model: type[Model]) -> Model:
    """Read one YAML file into `model`, with errors that name the file, the key and the valid keys.

    Raises:
        ConfigError: as said.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [f"{path}: {_explain(item, model)}" for item in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def _explain(item: Any, model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        fields = _fields_at(model, item["loc"][:-1])
        return f"unknown key `{where}`." + (f" Valid keys are: {', '.join(sorted(fields))}." if fields else "")
    if item["type"] == "missing":
        return f"key `{where}` is missing; add it."
    return f"`{where}`: {item['msg']}; found {str(item['input'])[:80]!r}."


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
