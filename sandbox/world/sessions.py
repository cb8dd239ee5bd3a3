"""What happens within one visit, step by step."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.world.vocabulary import PRODUCTS, Product

SITE = "https://www.larkfield.example"
FORMS = ("contact", "newsletter", "whitepaper")
WEBINARS = ("stocktake-basics", "picking-routes")


@dataclass(frozen=True)
class Step:
    """One event to be: its name, where on the site, and what it carries."""

    event: str
    path: str
    title: str
    params: dict[str, str | int | float] = field(default_factory=dict)
    items: tuple[tuple[Product, int], ...] = ()
    transaction_id: str | None = None

    @property
    def value(self) -> float:
        return sum(product.price_usd * quantity for product, quantity in self.items)


def steps(kind: str, favourite: Product | None, rng: random.Random, *, is_first: bool, has_scroll: bool) -> list[Step]:
    """The events of one visit in order. Each kind has a fixed number of each event name, so that volumes hold still."""
    home = Step("page_view", "/", "Larkfield")
    result = [Step("session_start", "/", "Larkfield")]
    if is_first:
        result.append(Step("first_visit", "/", "Larkfield"))
    result += list(_KINDS[kind](home, favourite, rng))
    last = result[-1]
    if has_scroll:
        result.append(Step("scroll", last.path, last.title, {"percent_scrolled": 90}))
    result.append(Step("user_engagement", last.path, last.title))
    return result


def _browse(home: Step, _: Product | None, rng: random.Random) -> Iterator[Step]:
    yield home
    page = rng.choice(("solutions", "customers", "pricing", "blog"))
    yield Step("page_view", f"/{page}", f"{page.title()} | Larkfield")


def _product(home: Step, favourite: Product | None, rng: random.Random) -> Iterator[Step]:
    yield home
    yield from _viewed(_chosen(favourite, rng))


def _cart(home: Step, favourite: Product | None, rng: random.Random) -> Iterator[Step]:
    product = _chosen(favourite, rng)
    yield home
    yield from _viewed(product)
    yield _with_items("add_to_cart", product, rng.choice((1, 1, 2, 5)))


def _purchase(home: Step, favourite: Product | None, rng: random.Random) -> Iterator[Step]:
    product, quantity = _chosen(favourite, rng), rng.choice((1, 1, 2, 5))
    yield home
    yield Step("login", "/login", "Sign in | Larkfield", {"method": "password"})
    yield from _viewed(product)
    yield _with_items("add_to_cart", product, quantity)
    # The real export has such purchases too.
    transaction_id = "(not set)" if rng.random() < 0.03 else f"T{rng.randrange(10**9):09d}"
    yield Step("purchase", "/checkout", "Checkout | Larkfield", {"transaction_id": transaction_id},
               ((product, quantity),), transaction_id)  # fmt: skip


def _form(home: Step, _: Product | None, rng: random.Random) -> Iterator[Step]:
    form = rng.choice(FORMS)
    yield home
    yield Step("form_submit", f"/{form}", f"{form.title()} | Larkfield", {"form_id": f"form-{form}", "form_name": form})


def _webinar(home: Step, _: Product | None, rng: random.Random) -> Iterator[Step]:
    webinar = rng.choice(WEBINARS)
    yield home
    yield Step(
        "webinar_signup", f"/webinars/{webinar}", "Webinars | Larkfield", {"form_id": "form-webinar", "webinar_id": webinar}
    )


def _demo(home: Step, favourite: Product | None, rng: random.Random) -> Iterator[Step]:
    yield home
    yield from _viewed(_chosen(favourite, rng))
    yield Step("demo_request", "/demo", "Request a demo | Larkfield", {"form_id": "form-demo"})


def _email(home: Step, favourite: Product | None, rng: random.Random) -> Iterator[Step]:
    yield Step("email_click", "/", home.title, {"source": "hubspot", "medium": "email", "campaign": "monthly_news"})
    yield home
    yield from _viewed(_chosen(favourite, rng))


def _login(home: Step, _: Product | None, __: random.Random) -> Iterator[Step]:
    yield home
    yield Step("login", "/login", "Sign in | Larkfield", {"method": "password"})


_KINDS: dict[str, Any] = {
    "browse": _browse, "product": _product, "cart": _cart, "purchase": _purchase, "form": _form, "webinar": _webinar,
    "demo": _demo, "email": _email, "login": _login,
}  # fmt: skip


def _chosen(favourite: Product | None, rng: random.Random) -> Product:
    return favourite if favourite and rng.random() < 0.7 else rng.choice(PRODUCTS)


def _viewed(product: Product) -> Iterator[Step]:
    yield Step("page_view", f"/shop/{product.id.lower()}", f"{product.name} | Larkfield")
    yield _with_items("view_item", product, 1)


def _with_items(event: str, product: Product, quantity: int) -> Step:
    return Step(event, f"/shop/{product.id.lower()}", f"{product.name} | Larkfield", {}, ((product, quantity),))
