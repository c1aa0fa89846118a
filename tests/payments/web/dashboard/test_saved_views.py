import pytest

from merchant_platform.kernel import tenancy
from payments.saved_views import operations
from payments.saved_views.models import SavedView
from tests.cast import shown
from tests.payments.books import unchanged
from tests.payments.web.dashboard.sales import BASE, text_of
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def cashier(merchant):
    return signed_in(make_staff(merchant, "cashier"))


def save(client, name="Big ones", query="?amount_min=100&after=pi_1&last4=", **more):
    return client.post(f"{BASE}/payments/views", {"page": "payments", "name": name, "query": query, **more})


def views_of(client) -> list[str]:
    return [view.name for view in client.get(f"{BASE}/payments").context["views"]]


@pytest.fixture
def view(owner, book):
    save(owner, is_shared="on")
    with tenancy.within(book.pk):
        return shown("view", SavedView.objects.get())


class TestSave:
    def test_keeps_the_filters_and_nothing_else(self, owner, book):
        reply = save(owner)

        assert (reply.status_code, reply.url) == (302, f"{BASE}/payments?amount_min=100")
        assert views_of(owner) == ["Big ones"]

    def test_is_ones_own_unless_it_is_shared(self, owner, cashier):
        save(owner)
        save(owner, "For all", is_shared="on")

        assert views_of(owner) == ["Big ones", "For all"]
        assert views_of(cashier) == ["For all"]

    def test_takes_a_name_once(self, owner, cashier):
        save(owner)

        with unchanged():
            assert save(owner).status_code == 400
        assert save(cashier).status_code == 302

    @pytest.mark.parametrize(("name", "query"), [("", "?a=b"), ("x" * 61, "?a=b"), ("Long", "?a=" + "b" * 2_100)])
    def test_refuses_what_cannot_be_kept(self, name, query, owner):
        with unchanged():
            assert save(owner, name, query).status_code == 400

    def test_refuses_too_many(self, owner, monkeypatch):
        monkeypatch.setattr(operations, "VIEWS_MAX", 1)
        save(owner)

        with unchanged():
            assert save(owner, "Another").status_code == 400

    def test_knows_its_lists(self, owner):
        with unchanged():
            assert owner.post(f"{BASE}/payments/views", {"page": "secrets", "name": "x"}).status_code == 404
            assert owner.get(f"{BASE}/payments/views").status_code == 405


class TestRemove:
    def test_can_be_undone(self, owner, view):
        reply = owner.post(f"{BASE}/payments/views/{view}/remove", follow=True)
        assert "The view was removed." in text_of(reply)
        assert views_of(owner) == []

        back = owner.post(f"{BASE}/payments/views/{view}/back")

        assert back.url == f"{BASE}/payments?amount_min=100"
        assert views_of(owner) == ["Big ones"]

    def test_is_undone_under_a_free_name_alone(self, owner, view):
        owner.post(f"{BASE}/payments/views/{view}/remove")
        save(owner)

        with unchanged():
            assert owner.post(f"{BASE}/payments/views/{view}/back").status_code == 400

    def test_is_for_its_owner_alone(self, cashier, other_merchant, view):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        with unchanged():
            for act in ("remove", "back"):
                assert cashier.post(f"{BASE}/payments/views/{view}/{act}").status_code == 404
                assert stranger.post(f"{BASE}/payments/views/{view}/{act}").status_code == 404
                assert stranger.post(f"/dashboard/bakery/test/payments/views/{view}/{act}").status_code == 404
