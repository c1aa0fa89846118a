"""People who pay on the checkout page: a consumer with a login and a wallet, and a visitor who follows forms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from merchant_platform.kernel import ids, tenancy
from payments.checkout.models import CheckoutSession
from payments.ledger import queries as ledger
from payments.wallets import operations as wallets
from payments.wallets.models import Consumer, Wallet
from security.identity.models import User
from security.merchants import queries as merchants
from security.merchants.models import Book, Merchant
from tests.cast import NOW, Api
from tests.merchant_platform.docs.reading import Page

PASSWORD = "correct horse battery staple"
SUCCESS = "https://cafe.example/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL = "https://cafe.example/basket"
GOOD_CARD, DECLINED_CARD, CHALLENGE_CARD = "4242424242424242", "4000000000000002", "4000002760003184"


@dataclass(frozen=True)
class Payer:
    email: str
    password: str
    wallet: Wallet | None
    book: Book

    @property
    def balance(self) -> int:
        with tenancy.within(merchants.platform_book_id(mode="test")):
            return ledger.guarded(self.wallet.account).available_minor


@pytest.fixture
def make_payer(platform: Merchant, book: Book) -> Callable[..., Payer]:
    """Makes a test consumer with a login: `make_payer(50_000)`, `make_payer(None)` has no wallet."""
    cache.clear()

    def make(balance: int | None, *, email: str = "lin.mei@example.com", currency: str = "CNY") -> Payer:
        user = User.objects.create_user(email, PASSWORD)
        platform_book = merchants.platform_book_id(mode="test")
        wallet = None
        with tenancy.within(platform_book):
            consumer = Consumer.objects.create(id=ids.new(NOW), user=user, mode="test", created_at=NOW)
            if balance is not None:
                wallet = wallets.open_wallet(consumer=consumer, currency=currency, now=NOW)
                if balance:
                    wallets.top_up(wallet=wallet, amount_minor=balance, reference=f"top_up:{wallet.pk}", now=NOW)
        return Payer(email, PASSWORD, wallet, book)

    return make


@pytest.fixture
def payer(make_payer: Callable[..., Payer]) -> Payer:
    """A consumer with ¥500.00."""
    return make_payer(50_000)


def item(name: str = "Pour-over beans 250 g", amount: int = 8_800, quantity: int = 1) -> dict[str, Any]:
    """A line that is in no catalogue."""
    return {
        "price_data": {"currency": "cny", "unit_amount": amount, "product_data": {"name": name}},
        "quantity": quantity,
    }


def offer(api: Api, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A checkout session, as the API made it."""
    made = api.post(
        "checkout/sessions",
        {
            "mode": "payment",
            "line_items": list(lines) or [item(quantity=2), item("Delivery", 1_000)],
            "success_url": SUCCESS,
            "cancel_url": CANCEL,
            **more,
        },
    )
    assert made.status == 200, made.json
    return made.json


def row_of(book: Book, session: dict[str, Any]) -> CheckoutSession:
    """The session's row, as it is stored."""
    with tenancy.within(book.pk):
        return CheckoutSession.objects.select_related("order", "intent").get(pk=ids.parse("cs_test", session["id"]))


class Visitor:
    """A browser without JavaScript: it keeps cookies, and sends forms with what stands in them."""

    def __init__(self, session: dict[str, Any], *, language: str = "en") -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"Accept-Language": language})
        self.address = session["url"].partition("/pay/")[2]
        self.page = self.open()

    @property
    def path(self) -> str:
        return f"/pay/{self.address}"

    @property
    def stage(self) -> str:
        return next(element["data-stage"] for element in self.page.all("section") if "data-stage" in element)

    @property
    def text(self) -> str:
        return " ".join(self.page.one("main").text.split())

    def open(self, query: str = "") -> Page:
        self.page = Page(self.client.get(self.path + query).content.decode())
        return self.page

    def send(self, action: str, **typed: str) -> Page:
        """Fill a form in and send it; the redirect is followed."""
        form = next(each for each in self.page.all("form") if each["action"] == f"{self.path}/{action}")
        held = {
            field["name"]: field["value"]
            for field in self.page.all("input")
            if form in field.ancestors and field.attributes.get("type") == "hidden"
        }
        response = self.client.post(form["action"], {**held, **typed}, follow=True)
        assert response.status_code == 200
        self.page = Page(response.content.decode())
        return self.page

    def sign_in(self, payer: Payer, password: str | None = None) -> Page:
        return self.send("sign-in", email=payer.email, password=password or payer.password)

    def pay(self) -> Page:
        return self.send("wallet")

    def pay_by_card(self, number: str = GOOD_CARD, *, expiry: str = "12 / 34", cvc: str = "123") -> Page:
        self.open("?method=card")
        return self.send("card", number=number, expiry=expiry, cvc=cvc, name="Lin Mei")
