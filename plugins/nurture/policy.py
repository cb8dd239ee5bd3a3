"""The typed form of `include/policy.yaml`. A typo there is an error that names the valid keys."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin

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


class MonthCap(Strict):
    """The most that one campaign may use in one UTC month."""

    month_usd: Usd
    month_tokens: Annotated[int, Field(ge=0)]


class Budget(Strict):
    """The most that models may use: US dollars, and tokens in and out.

    Attributes:
        campaigns: by campaign, instead of `campaign_month_usd` and `campaign_month_tokens`.
    """

    run_usd: Usd
    run_tokens: Annotated[int, Field(ge=0)]
    day_usd: Usd
    day_tokens: Annotated[int, Field(ge=0)]
    campaign_month_usd: Usd
    campaign_month_tokens: Annotated[int, Field(ge=0)]
    campaigns: dict[str, MonthCap]


class Batches(Strict):
    """Of campaigns that choose `mode="batch"`."""

    deadline_hours: Annotated[float, Field(gt=0, le=24)]
    poll_seconds: Annotated[float, Field(gt=0)]
    max_requests_per_batch: Count
    list_lag_seconds: Annotated[float, Field(ge=0)]
    cancel_seconds: Annotated[float, Field(ge=0)]
    remainder: Literal["synchronous", "static"]


class Llm(Strict):
    max_attempts: Count
    backoff_seconds: Annotated[float, Field(gt=0)]
    timeout_seconds: Count
    max_concurrency: Count
    fallover_conn_id: str | None
    budget: Budget
    allow_unpriced_models: bool
    batch: Batches


class CopyConfidence(Strict):
    """Support score → confidence, and what follows from it (docs/guardrails.md)."""

    intercept: float
    slope: Annotated[float, Field(gt=0)]
    flag_below: Share
    reject_below: Share

    @model_validator(mode="after")
    def _rejects_less_than_it_flags(self) -> Self:
        if self.reject_below > self.flag_below:
            raise ValueError(f"reject_below is {self.reject_below:g}, above flag_below {self.flag_below:g}; make it less")
        return self


class Approval(Strict):
    timeout_hours: Annotated[float, Field(gt=0)]
    pieces_max: Count


class Evaluation(Strict):
    """What a prompt must reach on its golden contexts before it is released.

    Attributes:
        usable_share_min: clear and flagged pieces / all.
        worse_than_baseline_max: by how much clear share, usable share and mean confidence may be below the baseline's.
    """

    usable_share_min: Share
    rejected_share_max: Annotated[float, Field(ge=0, le=1)]
    usd_per_piece_max: Usd
    worse_than_baseline_max: Annotated[float, Field(ge=0, le=1)]


class Policy(Strict):
    ga4: Ga4
    crm: Crm
    gates: Gates
    consent: Consent
    llm: Llm
    approval: Approval
    copy_confidence: CopyConfidence
    evaluation: Evaluation


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
    """The keys valid at `loc`, also inside lists and mappings; none when they cannot be told."""
    found: Any = model
    for part in loc:
        found = _within(found, part)
    return list(found.model_fields) if _is_model(found) else []


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
