"""The setup guide as a page shows it: what each step is for, and the page where it is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from analytics.setup_guide import queries
from analytics.setup_guide.queries import COLLEAGUE, ENDPOINT, KEY, PAYMENT, PRODUCT, STORE
from security.web.desk import Desk

# Who sets a merchant up: the roles of these actions, and the owner.
_ACTIONS = ("key.manage", "store.manage")
# A step's title, why it is worth taking, and the page of the navigation where it is taken.
_TEXTS: dict[str, tuple[Any, Any, str]] = {
    STORE: (_("Open a store"), _("Payments and staff belong to the place where you sell."), "stores"),
    PRODUCT: (_("Add a product"), _("Orders name what was bought, and reports know what sells."), "products"),
    KEY: (_("Make an API key"), _("Your program signs its requests with it."), "keys"),
    PAYMENT: (_("Take the first payment"), _("The quick start leads there in a few minutes."), ""),
    ENDPOINT: (_("Add a webhook endpoint"), _("Your program hears at once what happens here."), "webhooks"),
    COLLEAGUE: (
        _("Invite a colleague"),
        _("Everybody signs in as themselves, with the rights of their role."),
        "staff",
    ),
}
_QUICK_START = "/docs"


@dataclass(frozen=True, slots=True)
class Step:
    title: Any
    why: Any
    # Where it is taken; empty where this person may not.
    url: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class Guide:
    """Steps, how many are done, and whether this person has put the guide away."""

    steps: Sequence[Step]
    done: int
    is_dismissed: bool

    @property
    def count(self) -> int:
        return len(self.steps)


def read(desk: Desk, urls: Mapping[str, str]) -> Guide | None:
    """The guide, in the open unit of work; None for other roles, and once all is done."""
    if not any(desk.may(action) for action in _ACTIONS):
        return None
    progress = queries.progress(book=desk.book, staff=desk.staff)
    if progress.is_complete:
        return None
    steps = [
        Step(title, why, urls.get(page, "") if page else _QUICK_START, progress.steps[name])
        for name, (title, why, page) in _TEXTS.items()
    ]
    return Guide(steps, progress.done, progress.is_dismissed)
