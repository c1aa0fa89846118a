"""Find an object, a page, an action; see what waits."""

import re

import pytest

from security.web.attention import Attention
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A60")]

TEST = "/dashboard/cafe/test/"


@pytest.fixture
def finders(settings):
    settings.ROOT_URLCONF = "tests.security.web.doors"
    settings.DASHBOARD_SEARCH = ["tests.security.web.doors.find", "tests.security.web.doors.find_more"]


@pytest.fixture
def client(merchant, finders):
    return signed_in(make_staff(merchant))


class TestSearch:
    def test_shows_what_every_app_finds(self, client):
        page = client.get(f"{TEST}search", {"q": "lin2"}).content.decode()

        assert re.findall(r'found-title" translate="no">([^<]+)<', page) == ["lin2 0", "lin2 1", "Oat latte"]
        assert 'value="lin2"' in page

    def test_goes_straight_to_the_object_that_an_id_names(self, client):
        reply = client.get(f"{TEST}search", {"q": " pi_exact "})

        assert (reply.status_code, reply["Location"]) == (302, f"{TEST}test-balance")

    def test_says_where_nothing_was_found_and_what_can_be_looked_for(self, client, settings):
        settings.DASHBOARD_SEARCH = []

        page = client.get(f"{TEST}search", {"q": "nobody"}).content.decode()

        assert "Nothing was found" in page
        assert "the last four digits of a card" in page

    def test_asks_nobody_for_nothing(self, client):
        page = client.get(f"{TEST}search", {"q": "  "}).content.decode()

        assert "What are you looking for?" in page

    @pytest.mark.parametrize(
        "text", ["\0 1", "'; DROP TABLE payments_order; -- 1", "<script>1", "%00%ff1", "🧾 1", "x" * 5_000 + "1"]
    )
    def test_survives_whatever_is_typed(self, client, text):
        assert client.get(f"{TEST}search", {"q": text}).status_code == 200


class TestPalette:
    def test_offers_pages_and_actions_where_nothing_is_typed(self, client):
        page = client.get(f"{TEST}palette").content.decode()

        groups = re.findall(r'class="palette-group"[^>]*>([^<]+)<', page)
        assert groups == ["Pages", "Actions"]
        assert f'href="{TEST}"' in page
        assert 'href="/dashboard/cafe/"' in page

    def test_puts_objects_first_and_leads_to_the_rest(self, client):
        page = client.get(f"{TEST}palette", {"q": "home9"}).content.decode()

        assert page.count('role="option"') == 9
        assert f'href="{TEST}search?q=home9"' in page

    def test_finds_a_page_by_each_word_of_its_name_in_the_persons_language(self, merchant):
        client = signed_in(make_staff(merchant), HTTP_ACCEPT_LANGUAGE="zh-CN")

        page = client.get(f"{TEST}palette", {"q": "概览"}).content.decode()

        assert f'href="{TEST}"' in page

    def test_hides_what_the_role_may_not_open(self, merchant, settings):
        settings.DASHBOARD_NAVIGATION = "tests.security.web.test_finding.NAVIGATION"
        settings.ROOT_URLCONF = "tests.security.web.doors"

        seen = {
            role: signed_in(make_staff(merchant, role)).get(f"{TEST}palette", {"q": "balance"}).content.decode()
            for role in ("owner", "cashier")
        }

        assert "test-balance" in seen["owner"]
        assert "test-balance" not in seen["cashier"]


def _navigation():
    from security.web.navigation import Group, Item

    return (Group("", (Item("test_balance", "Balance", icon="coins", action="balance.view"),)),)


NAVIGATION = _navigation()


class TestNotifications:
    def test_count_what_waits_and_lead_to_it(self, merchant, settings):
        settings.DASHBOARD_ATTENTION = [f"{__name__}.two_disputes", f"{__name__}.nothing"]
        client = signed_in(make_staff(merchant))

        page = client.get(f"{TEST}notifications").content.decode()
        bell = client.get(f"{TEST}notifications/count").content.decode()

        assert f'href="{TEST}search"' in page
        assert "2 disputes want an answer" in page
        assert "No payout" not in page
        assert "2 need attention" in bell

    def test_say_that_nothing_waits(self, merchant):
        client = signed_in(make_staff(merchant))

        assert "Nothing waits for you" in client.get(f"{TEST}notifications").content.decode()
        assert client.get(f"{TEST}notifications/count").content.decode().strip() == ""


def two_disputes(desk):
    return [Attention("dispute", "2 disputes want an answer", desk.url("search"), 2)]


def nothing(desk):
    return [Attention("payout", "No payout", desk.url("search"), 0)]
