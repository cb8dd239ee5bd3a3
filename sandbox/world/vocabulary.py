"""The words that the world uses: the project's vocabulary, and the CRM's own picklists."""

from dataclasses import dataclass
from pathlib import Path

import yaml

_WORDS = yaml.safe_load((Path(__file__).resolve().parents[2] / "include" / "vocabulary.yaml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Product:
    id: str
    name: str
    category: str
    price_usd: float


PERSONAS: tuple[str, ...] = tuple(_WORDS["personas"])
INDUSTRIES: tuple[str, ...] = tuple(_WORDS["industries"])
PAIN_POINTS: tuple[str, ...] = tuple(_WORDS["pain_points"])
LIFECYCLE_STAGES: tuple[str, ...] = tuple(_WORDS["lifecycle_stages"])
PRODUCTS: tuple[Product, ...] = tuple(Product(**product) for product in _WORDS["products"])

OFF_VOCABULARY = {
    "persona": ("Chief Vibe Officer", "Warehouse Lead / Backup Buyer"),
    "industry": ("Aerospace", "Retail (grocery)"),
    "pain_point": ("too many spreadsheets!!",),
}
"""What people type into a free field; anything outside the vocabulary must become `other` downstream."""

STAGE_WEIGHTS = {
    "subscriber": 16, "lead": 30, "marketingqualifiedlead": 18, "salesqualifiedlead": 10, "opportunity": 8, "customer": 16,
    "other": 2,
}  # fmt: skip
LEAD_STATUSES = {
    "subscriber": ("NEW",),
    "lead": ("NEW", "OPEN", "ATTEMPTED_TO_CONTACT"),
    "marketingqualifiedlead": ("OPEN", "IN_PROGRESS"),
    "salesqualifiedlead": ("IN_PROGRESS", "CONNECTED"),
    "opportunity": ("OPEN_DEAL", "CONNECTED"),
    "customer": ("CONNECTED",),
    "other": ("UNQUALIFIED", "BAD_TIMING"),
}
ACCOUNT_TIERS = ("small_business", "mid_market", "enterprise")
CHANNELS = {
    "ORGANIC_SEARCH": ("google", "organic"),
    "DIRECT_TRAFFIC": ("(direct)", "(none)"),
    "EMAIL_MARKETING": ("hubspot", "email"),
    "REFERRALS": ("partner.example", "referral"),
    "PAID_SEARCH": ("google", "cpc"),
    "SOCIAL_MEDIA": ("linkedin.com", "social"),
}
"""The CRM's `hs_latest_source`, and source and medium as GA4 sees the same channel."""

JOB_TITLES = {
    "operations_manager": ("Operations Manager", "Head of Operations"),
    "warehouse_lead": ("Warehouse Lead", "Warehouse Supervisor"),
    "it_lead": ("IT Lead", "Head of IT"),
    "finance_lead": ("Finance Lead", "Head of Finance"),
    "founder": ("Founder", "Managing Director"),
}
ANY_JOB_TITLES = ("Consultant", "Office Manager")
"""Of every other persona, also of one that the vocabulary was given later."""
