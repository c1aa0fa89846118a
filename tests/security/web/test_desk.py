"""Where staff stand: one merchant, one mode, one role; for everybody else there is nothing there."""

import re
from urllib.parse import quote

import pytest
from django.test import Client

from security.access import roles
from security.merchants.models import Book, Staff
from tests.cast import NOW, found
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A60")]

HOME, TEST_HOME = "/dashboard/cafe/", "/dashboard/cafe/test/"
# The session, the login, the person's places, the book.
STATEMENTS = 4


@pytest.fixture
def doors(settings):
    settings.ROOT_URLCONF = "tests.security.web.doors"


class TestDeskPage:
    @pytest.mark.parametrize("role", ROLES)
    def test_lets_every_role_in_and_says_which_it_is(self, role, merchant):
        reply = signed_in(make_staff(merchant, role)).get(HOME)

        assert reply.status_code == 200
        assert str(roles.NAMES[role]) in reply.content.decode()

    def test_costs_four_statements(self, merchant, django_assert_num_queries):
        client = signed_in(make_staff(merchant))

        with django_assert_num_queries(STATEMENTS):
            client.get(f"{TEST_HOME}search")

    def test_sends_who_is_signed_out_to_the_sign_in_page_and_back(self, merchant):
        reply = Client().get(f"{TEST_HOME}search?q=a%20b")

        assert (reply.status_code, reply["Location"]) == (
            302,
            "/accounts/login/?next=/dashboard/cafe/test/search%3Fq%3Da%2520b",
        )

    def test_has_a_fragment_load_its_page_again_where_the_session_is_over(self, merchant):
        reply = Client().get(f"{HOME}notifications/count", headers={"HX-Request": "true"})

        assert (reply.status_code, reply["HX-Refresh"]) == (204, "true")

    def test_is_not_there_for_a_stranger(self, merchant, other_merchant):
        client = signed_in(make_staff(other_merchant))

        assert [client.get(url).status_code for url in (HOME, TEST_HOME)] == [404, 404]
        assert client.get("/dashboard/bakery/").status_code == 200

    def test_tells_nobody_which_merchants_there_are(self, merchant, other_merchant):
        client = signed_in(make_staff(other_merchant))

        there, nowhere = client.get(HOME), client.get("/dashboard/no-such-merchant/")

        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert _words(there, "cafe") == _words(nowhere, "no-such-merchant")

    def test_is_not_there_for_who_has_left(self, merchant):
        staff = make_staff(merchant)
        client = signed_in(staff)
        Staff.objects.filter(pk=staff.pk).update(left_at=NOW)

        assert client.get(HOME).status_code == 404

    def test_knows_nobody_whose_login_is_closed(self, merchant):
        staff = make_staff(merchant)
        client = signed_in(staff)
        staff.user.is_active = False
        staff.user.save(update_fields=["is_active"])

        assert client.get(HOME).status_code == 302

    def test_is_kept_by_no_cache(self, merchant):
        reply = signed_in(make_staff(merchant)).get(HOME)

        assert "no-store" in reply["Cache-Control"]
        assert "private" in reply["Cache-Control"]

    def test_shows_the_other_mode_by_its_address_alone(self, merchant):
        client = signed_in(make_staff(merchant))

        live, test = client.get(f"{HOME}search").content.decode(), client.get(f"{TEST_HOME}search").content.decode()

        assert "Test mode: no real money moves here" in test
        assert f'href="{HOME}search"' in test
        assert "Test mode: no real money moves here" not in live
        assert f'href="{TEST_HOME}search"' in live

    def test_names_the_zone_and_the_test_clock(self, merchant):
        page = signed_in(make_staff(merchant)).get(TEST_HOME).content.decode()

        assert "Asia/Shanghai" in page
        assert "2026-03-02 17:30:00" in page

    def test_offers_the_other_merchants_of_a_person_and_nobody_elses(self, merchant, other_merchant):
        found("tea-house", "Tea House")
        staff = make_staff(merchant)
        make_staff(other_merchant, "cashier", user=staff.user)

        page = signed_in(staff).get(TEST_HOME).content.decode()

        assert 'href="/dashboard/bakery/test/"' in page
        assert "tea-house" not in page

    def test_takes_the_role_that_the_person_has_at_this_merchant(self, merchant, other_merchant):
        staff = make_staff(merchant, "owner")
        make_staff(other_merchant, "cashier", user=staff.user)
        client = signed_in(staff)

        assert client.get("/dashboard/bakery/").context["desk"].role == "cashier"
        assert client.get("/dashboard/cafe/").context["desk"].role == "owner"


class TestRoles:
    @pytest.mark.parametrize("role", ROLES)
    def test_open_a_page_as_the_table_of_actions_says(self, role, merchant, doors):
        reply = signed_in(make_staff(merchant, role)).get(f"{TEST_HOME}test-balance")

        assert reply.status_code == (200 if roles.may(role, "balance.view") else 403)

    def test_are_named_where_a_page_is_closed(self, merchant, doors):
        page = signed_in(make_staff(merchant, "cashier")).get(f"{TEST_HOME}test-balance").content.decode()

        assert "You are here as Cashier." in page
        assert "balance of" not in page

    def test_close_forms_that_are_sent_too(self, merchant, doors):
        reply = signed_in(make_staff(merchant, "cashier")).post(f"{TEST_HOME}test-acts/well")

        assert (reply.status_code, b"done" in reply.content) == (403, False)


class TestRefusal:
    @pytest.mark.parametrize(
        ("how", "status", "words"),
        [
            ("nothing", 404, "There is no page here"),
            ("gone", 404, "There is no page here"),
            ("twice", 409, "/docs/errors/conflict"),
            ("wrong", 400, "/docs/errors/parameter_unknown"),
        ],
    )
    def test_is_said_inside_the_frame(self, how, status, words, merchant, doors):
        reply = signed_in(make_staff(merchant)).get(f"{TEST_HOME}test-acts/{how}")

        assert reply.status_code == status
        assert words in reply.content.decode()
        assert "sidebar-nav" in reply.content.decode()


class TestEnter:
    def test_leads_to_test_mode_until_live_mode_has_begun(self, merchant, make_customer, live_book):
        client = signed_in(make_staff(merchant))
        before = client.get("/dashboard")["Location"]
        make_customer(live_book)

        assert (before, client.get("/dashboard")["Location"]) == (TEST_HOME, HOME)

    def test_asks_who_is_signed_out(self):
        assert Client().get("/dashboard")["Location"] == "/accounts/login/?next=/dashboard"

    def test_has_nothing_for_who_works_nowhere(self, merchant):
        staff = make_staff(merchant)
        client = signed_in(staff)
        Staff.objects.update(left_at=NOW)

        assert client.get("/dashboard").status_code == 404


class TestDesk:
    def test_writes_addresses_of_its_merchant_and_mode(self, merchant):
        client = signed_in(make_staff(merchant))

        desks = [client.get(url).context["desk"] for url in (HOME, TEST_HOME)]

        assert [desk.url("search") for desk in desks] == [f"{HOME}search", f"{TEST_HOME}search"]
        assert [desk.is_test for desk in desks] == [False, True]

    def test_has_the_books_time_and_the_merchants_zone(self, merchant):
        desk = signed_in(make_staff(merchant)).get(TEST_HOME).context["desk"]

        assert (desk.now, desk.zone.key) == (NOW, "Asia/Shanghai")
        assert desk.book == Book.objects.get(merchant=merchant, mode="test")

    def test_names_the_actor(self, merchant):
        staff = make_staff(merchant)

        actor = signed_in(staff).get(HOME).context["desk"].actor

        assert (actor.kind, actor.id, actor.ip) == ("staff", staff.pk, "127.0.0.1")


def _words(reply, slug):
    """A page without the address that was asked for, and without the form's token, which is never the same."""
    return re.sub(r'(?<=name="csrfmiddlewaretoken" value=")\w+', "", reply.content.decode()).replace(slug, "")


class TestToSignIn:
    """A session that ran out under a form."""

    def test_leads_back_to_the_page_of_the_form_and_says_that_nothing_was_saved(self, merchant):
        stranger = Client()
        page = f"{TEST_HOME}payments/pi_1?tab=notes"

        reply = stranger.post(
            f"{TEST_HOME}payments/pi_1/notes", {"text": "x"}, headers={"Referer": f"http://testserver{page}"}
        )

        assert reply["Location"] == f"/accounts/login/?next={quote(page, safe='/')}"
        told = stranger.get(reply["Location"]).content.decode()
        assert "You were signed out. What you typed was not saved" in told

    @pytest.mark.parametrize(
        "sender", ["", "https://elsewhere.example/dashboard/", "//elsewhere.example", "javascript:1"]
    )
    def test_leads_nowhere_else(self, sender, merchant):
        reply = Client().post(f"{TEST_HOME}products/new", headers={"Referer": sender})

        assert reply["Location"] == f"/accounts/login/?next={TEST_HOME}products/new"

    def test_says_nothing_to_who_only_reads(self, merchant):
        stranger = Client()

        reply = stranger.get(f"{TEST_HOME}payments")

        assert "What you typed" not in stranger.get(reply["Location"]).content.decode()
