"""The typed form of `include/policy.yaml`. A typo there is an error that names the valid keys."""

from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nurture.errors import ConfigError
from nurture.paths import POLICY

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(gt=0)]
Usd = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """Base of every configuration model: unknown keys are rejected, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ga4(Strict):
    reread_days: Count
    max_param_bytes: Count
    identified_events: tuple[str, ...]


class Crm(Strict):
    page_size: Annotated[int, Field(gt=0, le=100)]
    watermark_overlap_seconds: Count
    max_property_bytes: Count
    batch_size: Annotated[int, Field(gt=0, le=100)]
    timeout_seconds: Count
    max_attempts: Count
    settle_after_seconds: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _waits_for_its_own_requests(self) -> Self:
        if self.settle_after_seconds <= 2 * self.timeout_seconds:
            raise ValueError(
                f"settle_after_seconds is {self.settle_after_seconds:g}; make it more than {2 * self.timeout_seconds}, "
                "twice timeout_seconds, for a write may be on its way that long and must not be sent again meanwhile"
            )
        return self


class Gates(Strict):
    missing_user_id_share_max: Share
    duplicate_contact_share_max: Share
    event_change_share_max: Share
    event_change_z: Annotated[float, Field(gt=0)]
    window_days: Count
    undeliverable_row_share_max: Share
    undeliverable_rows_min: Count
    undelivered_message_share_max: Share


class StatusWords(Strict):
    """Words of `consent_status`, in lower case; what is none of them counts as denied."""

    granted: tuple[str, ...]
    unknown: tuple[str, ...]
    denied: tuple[str, ...]


class Consent(Strict):
    opt_out_regions: tuple[str, ...]
    subscription_ids: tuple[Count, ...]
    status_words: StatusWords


class Price(Strict):
    """US dollars per million tokens."""

    input: Usd
    output: Usd


class Llm(Strict):
    max_attempts: Count
    backoff_seconds: Annotated[float, Field(gt=0)]
    timeout_seconds: Count
    concurrency: Count
    max_usd_per_run: Usd
    allow_unpriced_models: bool
    prices_usd_per_million_tokens: dict[str, Price]


class Approval(Strict):
    timeout_hours: Annotated[float, Field(gt=0)]


class Policy(Strict):
    ga4: Ga4
    crm: Crm
    gates: Gates
    consent: Consent
    llm: Llm
    approval: Approval


def load_policy(path: Path = POLICY) -> Policy:
    """Read the policy file.

    Raises:
        ConfigError: the file is missing, is not YAML, or has an unknown, missing or ill-typed key.
    """
    return read_strict(path, Policy)


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
    """The keys valid at `loc`, or none when a list or mapping lies on the way."""
    for part in loc:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
