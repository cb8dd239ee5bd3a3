"""The typed form of `include/policy.yaml`. A typo there is an error that names the valid keys."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from nurture.paths import POLICY
from nurture.strict_yaml import Count, Share, Strict, Usd, read_strict


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
    requests_per_10_seconds: Count
    burst: Count
    searches_per_second: Annotated[int, Field(gt=1)]
    push_workers: Count
    consent_seconds: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _leaves_a_steady_rate(self) -> Self:
        if self.burst >= self.requests_per_10_seconds:
            raise ValueError(
                f"burst is {self.burst}; make it less than requests_per_10_seconds ({self.requests_per_10_seconds}): "
                "what may go at once is taken from the steady rate"
            )
        return self

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
    undelivered_messages_min: Count


class StatusWords(Strict):
    """Words of `consent_status`, in lower case; what is none of them counts as denied."""

    granted: tuple[str, ...]
    unknown: tuple[str, ...]
    denied: tuple[str, ...]


class Consent(Strict):
    """What the CRM's words mean. Which consent a region needs is in `nurture.consent.rules`."""

    subscription_ids: tuple[Count, ...]
    text_property: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] | None
    status_words: StatusWords


class FrequencyCap(Strict):
    """At most so many messages to one human in so many days, of all campaigns together."""

    messages: Count
    days: Count


WallTime = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
ZoneName = Annotated[str, Field(pattern="^[A-Z][A-Za-z]+(/[A-Za-z0-9_+-]+)*$")]


class QuietHours(Strict):
    """When nobody is written to, by the clock on the person's wall; equal times mean never.

    Attributes:
        include_weekends: Saturday and Sunday are quiet all day.
        zones: of contacts without a time zone in a country with several, by ISO 3166 country.
        default_zone: of contacts whose country is unknown, or has several zones and is not in `zones`.
    """

    begin: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")
    include_weekends: bool
    zones: dict[str, ZoneName]
    default_zone: ZoneName

    @field_validator("zones", "default_zone")
    @classmethod
    def _are_zones(cls, value: dict[str, str] | str) -> dict[str, str] | str:
        for zone in [value] if isinstance(value, str) else value.values():
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError):
                raise ValueError(f"{zone} is no time zone; expected a name such as Europe/Berlin") from None
        return value


class Contact(Strict):
    """How often, when and for which campaign people are written to.

    Attributes:
        campaign_priority: of two campaigns that want one person for the same night, the earlier in this list writes. Those
            that are not in it come after those that are, and give way to none of their own kind.
    """

    frequency_cap: FrequencyCap
    quiet_hours: QuietHours
    campaign_priority: tuple[str, ...]


class SalesTasks(Strict):
    """Of campaigns whose outputs include `task`."""

    due_days: Annotated[int, Field(ge=0)]
    priority: Literal["LOW", "MEDIUM", "HIGH"]


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
    contact: Contact
    sales_tasks: SalesTasks
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
