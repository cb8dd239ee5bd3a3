"""Statements that policy reserves to a person: copy that makes one is flagged, even when a fact backs it.

Entries are regular expressions over lower-case text; each is a word, a stem or a short phrase.
"""

RESERVED: dict[str, tuple[str, tuple[str, ...]]] = {
    "discount": (
        "Discounts and offers are promised by people.",
        ("discount(s|ed)?", "rebates?", "vouchers?", "coupons?", "promo(tion|tional)?s?", "special (price|offer|deal)s?",
         "(on|for) sale", "price cuts?", "bargains?", "cheap(er|est)?", "limited[- ]time", "money off", "save money",
         "free of charge", "for free", "half[- ]price", "half off", r"%\s?off", "vip"),
    ),
    "financial": (
        "Financial statements need a person.",
        ("roi", "return on investment", "pays? for itself", "payback", "refund(s|ed|able)?", "money[- ]back",
         "interest[- ]free", "financing", "leas(e|ing)", "tax(es)?", "credit", "profits?", "revenues?", "instal?lments?"),
    ),
    "legal": (
        "Legal and compliance statements need a person.",
        (r"guarante\w+", "warrant(y|ies)", "gdpr", "hipaa", "fda", "iso", "soc", "ccpa", r"complian\w+", r"certifi\w+",
         "legal(ly)?", "laws?", r"regulat\w+", r"liab\w+", r"contractual\w*", "audit[- ]proof"),
    ),
    "health": (
        "Health and safety statements need a person.",
        ("health", "patients?", r"clinical\w*", r"medic\w+", r"diagnos\w+", "treatments?", "cures?", "safety", r"injur\w+",
         "safer"),
    ),
}  # fmt: skip
