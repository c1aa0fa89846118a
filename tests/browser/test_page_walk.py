"""Every page of the dashboard, as everybody who may open it, as everybody may see it.

It grows by itself. From each address of the navigation it follows one link for every route
that it has not seen: lists lead to details, details to their forms and drawers. What is
walked how:

- Through Django's client, in this process: each route in test mode as the owner, in Chinese
  and in English: no more statements than are stated below, no word of the other language, no
  mark of a template left over, no id twice, nothing inline. The pages of the navigation in
  live mode too, where the merchant has nothing yet. What each role is told at each door, the
  matrix says (tests/security/access/test_matrix.py).
- In Chromium, against the real server: each page as the owner × Chinese and English × a
  wide window and a phone of 360 px × light and dark: status, nothing on the console,
  nothing wider than the window, axe-core clean, and what programs put on the page is
  translated. A page is loaded once a language, in one of them in a wide window and in the
  other on a phone; width and light change under it. All rules of axe-core are asked once a
  language and once a width, those of colour in every light.
- In Chromium, the pages of the navigation as each of the other roles, on a phone, in
  Chinese, in the dark.

Rows are those of a small world (small_world.py).
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from playwright.sync_api import Browser, Page

from security.access import flags, roles
from security.identity.models import User
from security.merchants.models import Staff
from security.messaging import operations as messaging
from security.messaging.models import EMAIL
from security.web import navigation
from tests.browser.chromium import AXE, PATIENCE_MS
from tests.browser.walk import Stop, Walk, foreign_to, visit
from tests.cast import NOW, shown
from tests.staff import ROLES, cookies_of, signed_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A60"),
    pytest.mark.requirement("B5"),
]

TEST, LIVE = "/dashboard/cafe/test/", "/dashboard/cafe/"
# How many statements a page may cost, all told; the frame's own four are among them.
STATEMENTS_MAX = 20
STATEMENTS_MAX_OF: dict[str, int] = {
    "home": 22,
    # What several rooms know of one member.
    "member": 22,
    "search": 20,
    "notifications": 16,
    "notification_count": 16,
    "palette": 20,
}

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
FRAGMENT_WAITS_MAX = 500
WIDTHS = {"wide": 1360, "phone": 360}
COLOURS = ["color-contrast", "link-in-text-block"]
# What axe-core is asked in each variant, so that every page meets all its rules in both languages and both widths,
# and those of colour wherever colours differ. One variant leads to the next by another width or another
# light, and what is seen wide first in one language is seen on a phone first in the other.
ASKED = {
    "zh-hans": {
        ("wide", "light"): "all",
        ("wide", "dark"): "",
        ("phone", "dark"): "colours",
        ("phone", "light"): "",
    },
    "en": {
        ("phone", "light"): "all",
        ("phone", "dark"): "",
        ("wide", "dark"): "colours",
        ("wide", "light"): "",
    },
}
# What a person reads or hears where the words are ours.
OUR_WORDS = """() => {
  const found = [];
  const isOurs = (element) => !element.closest('[translate="no"], code, pre, kbd, script, style, template, noscript');
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement, data } = walker.currentNode;
    if (data.trim() && isOurs(parentElement)) found.push(data.trim());
  }
  for (const name of ["alt", "aria-label", "placeholder", "title"]) {
    for (const each of document.querySelectorAll(`[${name}]`)) {
      if (isOurs(each)) found.push(each.getAttribute(name));
    }
  }
  return found;
}"""
WIDTHS_OF_PAGE = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def addresses(role: str, prefix: str = TEST) -> list[str]:
    """The navigation of a role."""
    items = [item for group in navigation.groups() for item in (*group.items, *group.actions)]
    return [
        navigation.address(item.name, merchant="cafe", mode="test" if prefix == TEST else "live")
        for item in items
        if item.action is None or roles.may(role, item.action)
    ]


def assert_good(wrong: list[Any]) -> None:
    """One line for each thing that is wrong: all of them at once, since a walk is long."""
    assert not wrong, "\n".join(str(each) for each in wrong)


@pytest.fixture(autouse=True)
def quiet(caplog) -> None:
    """Doors that stay closed are what is tried here, not news."""
    caplog.set_level(logging.ERROR, logger="django.request")


class TestDoors:
    def test_are_shown_to_each_role_that_may_open_them_and_to_nobody_else(self, small_world):
        for role in ROLES:
            home = visit(signed_in(small_world.staff[role]), TEST)
            (bar,) = [each for each in home.page.elements if each.attributes.get("class") == "sidebar-nav"]
            shown = [each["href"] for each in home.page.all("a") if bar in each.ancestors]

            items = [item for group in navigation.groups() for item in group.items]
            open_ = [item.name for item in items if item.action is None or roles.may(role, item.action)]
            assert shown == [navigation.address(name, merchant="cafe", mode="test") for name in open_]

    def test_open_in_live_mode_where_there_is_nothing_yet(self, small_world, walked):
        client = signed_in(small_world.staff["owner"])

        statuses = {url: visit(client, url).status for url in addresses("owner", LIVE)}

        walked(pages=len(statuses), modes=1)
        assert {url: status for url, status in statuses.items() if status not in (200, 302)} == {}


@dataclass
class Tour:
    """One window that goes from page to page, as one person or another, and notes what is wrong."""

    page: Page
    server: str
    wrong: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    width: str = ""
    scheme: str = ""

    def __post_init__(self) -> None:
        self._devtools = self.page.context.new_cdp_session(self.page)
        self.page.on("console", lambda said: self.said.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def be(self, staff: Staff, *, language: str) -> None:
        """Another person, or another language: cookies, and what was loaded once is not loaded again."""
        cookies = [*cookies_of(staff), {**cookies_of(staff)[0], "name": "django_language", "value": language}]
        self.page.context.add_cookies(cookies)

    def look(self, width: str, scheme: str) -> None:
        """Another window, another light: the page stays, and so does what is already so."""
        if width != self.width:
            is_phone = width == "phone"
            self._devtools.send(
                "Emulation.setDeviceMetricsOverride",
                {"width": WIDTHS[width], "height": 800, "deviceScaleFactor": 1, "mobile": is_phone},
            )
            self._devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": is_phone})
        if scheme != self.scheme:
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.width, self.scheme = width, scheme
        # The shortest of transitions ends with the next picture.
        self.page.evaluate(PAINTED)

    def go(self, url: str) -> None:
        answered = self.page.goto(f"{self.server}{url}")
        if answered is None or answered.status != 200:
            self.wrong.append((url, f"status {answered and answered.status}"))
        for _ in range(FRAGMENT_WAITS_MAX):
            if not self.page.evaluate("document.querySelector('.htmx-request') !== null"):
                return
            self.page.wait_for_timeout(10)
        self.wrong.append((url, "a fragment of it never came"))

    def judge(self, url: str, variant: str) -> None:
        """What is wider than the window, and what the console was told."""
        wide, seen = self.page.evaluate(WIDTHS_OF_PAGE)
        if wide > seen:
            self.wrong.append((url, variant, f"{wide} px in {seen}"))
        self.wrong += [(url, variant, each) for each in self.said]
        self.said.clear()

    def ask_axe(self, url: str, variant: str, *, rules: list[str] | None) -> None:
        """What axe-core finds, by all of its rules or by some."""
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules is not None:
            options["runOnly"] = {"type": "rule", "values": rules}
        for each in self.page.evaluate("(options) => axe.run(options)", options)["violations"]:
            told = [(node["html"][:160], node["failureSummary"][-160:]) for node in each["nodes"][:4]]
            self.wrong.append((url, variant, each["id"], told))


@pytest.fixture
def tour(chromium: Browser, server: str) -> Iterator[Tour]:
    """A window for the whole walk: what pages share is loaded once."""
    context = chromium.new_context(no_viewport=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield Tour(page, server)
    context.close()


def read_all(stops: Iterable[Stop], language: str) -> list[Any]:
    """What is wrong with pages as they came: their status, what they cost, their words and marks."""
    is_foreign = foreign_to(language)
    wrong: list[Any] = []
    told: set[Any] = set()
    for stop in stops:
        # A page that wants a second factor again leads to it.
        is_asked = stop.status == 302 and stop.reply["Location"].startswith("/accounts/")
        if stop.status != 200 and not is_asked:
            wrong.append((stop.url, stop.status))
        if stop.statements > STATEMENTS_MAX_OF.get(stop.name, STATEMENTS_MAX):
            wrong.append((stop.url, f"{stop.statements} statements"))
        if stop.page is None:
            continue
        ids = [element["id"] for element in stop.page.elements if "id" in element]
        found = [
            *(each for each in stop.page.our_words() if each and is_foreign(each)),
            *(f"the id {each} twice" for each in sorted(set(ids)) if ids.count(each) > 1),
            *(
                f"inline: {name} of {element.name}"
                for element in stop.page.elements
                for name in element.attributes
                if name == "style" or name.startswith("on")
            ),
            *([] if len(stop.page.all("h1")) == 1 else [f"{len(stop.page.all('h1'))} headings"]),
        ]
        # What the frame says wrong is told once, not for each page.
        wrong += [(stop.url, each) for each in found if each not in told]
        told.update(found)
    return wrong


def look_at_all(tour: Tour, person: Any, urls: list[str], language: str) -> None:
    """Go to each page in each variant of a language, as one person, and note what is wrong."""
    tour.be(person, language=language)
    is_foreign, told = foreign_to(language), set()
    variants = list(ASKED[language].items())
    tour.look(*variants[0][0])
    for url in urls:
        tour.go(url)
        tour.page.evaluate(AXE)
        for (width, scheme), asked in variants:
            variant = f"{language} {width} {scheme}"
            tour.look(width, scheme)
            tour.judge(url, variant)
            if asked:
                tour.ask_axe(url, variant, rules=None if asked == "all" else COLOURS)
        words = set(tour.page.evaluate(OUR_WORDS))
        tour.wrong += [(url, language, each) for each in words if is_foreign(each) and each not in told]
        told |= words
        # The next page comes as the window is, and is seen the other way round.
        variants.reverse()


class Pages:
    """All pages in one language: a class for each, so that two processes can share them."""

    language: ClassVar[str]

    def test_of_the_owner_are_good_in_every_variant(self, small_world, tour, walked):
        owner = small_world.staff["owner"]
        walk = Walk(signed_in(owner, HTTP_ACCEPT_LANGUAGE=self.language), TEST)
        walk.follow(addresses("owner"))
        urls = [stop.url for stop in walk.stops.values() if stop.page is not None and stop.status == 200]
        tour.wrong += read_all(walk.stops.values(), self.language)
        look_at_all(tour, owner, urls, self.language)

        walked(routes=len(walk.stops), pages=len(urls), languages=1, widths=2, schemes=2)
        assert_good(tour.wrong)

    def test_of_operators_are_good_in_every_variant(self, platform, book, tour, walked):
        operator = SimpleNamespace(user=User.objects.create_user("operator@example.com", is_operator=True))
        flags.set_percent(book_id=book.pk, name="fast_lane", percent=25, now=NOW)
        messaging.suppress(channel=EMAIL, address="lin@example.com", reason="SMTP 550", now=NOW)
        stopped = messaging.suppression_of(channel=EMAIL, address="lin@example.com")
        urls = [
            "/operator/",
            f"/operator/flags/{shown('bk', book)}",
            "/operator/suppressions",
            f"/operator/suppressions/{shown('sup', stopped)}",
        ]
        look_at_all(tour, operator, urls, self.language)

        walked(pages=len(urls), languages=1, widths=2, schemes=2)
        assert_good(tour.wrong)


class TestPagesInChinese(Pages):
    language = "zh-hans"


class TestPagesInEnglish(Pages):
    language = "en"


class TestRoles:
    def test_see_good_pages(self, small_world, tour, walked):
        tour.look("phone", "dark")
        count = 0
        for role in ROLES:
            if role == "owner":
                continue
            tour.be(small_world.staff[role], language="zh-hans")
            for url in addresses(role):
                tour.go(url)
                tour.judge(url, role)
                count += 1

        walked(pages=count)
        assert_good(tour.wrong)
