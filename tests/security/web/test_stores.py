"""Stores and devices at the desk."""

import pytest

from security.access import roles
from security.audit.models import AuditRecord
from security.merchants import operations as merchants
from security.merchants.models import Device, Store
from tests.cast import NOW, shown
from tests.desks import TEST, Door
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("B5")]

LIST = f"{TEST}/stores"
STATEMENTS_MAX = 7


@pytest.fixture
def door(merchant):
    return Door(signed_in(make_staff(merchant, "manager")))


@pytest.fixture
def page(bund):
    return f"{LIST}/{shown('sto', bund)}"


@pytest.fixture
def till(bund):
    return merchants.add_device(store=bund, name="Till 1", now=NOW)


def stores():
    return sorted(Store.objects.values_list("name", "city", "closed_at"))


class TestEveryDoor:
    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_roles_as_the_table_says(self, merchant, page, role):
        client = signed_in(make_staff(merchant, role))

        for path, action in (
            (LIST, "store.view"),
            (page, "store.view"),
            (f"{LIST}/new", "store.manage"),
            (f"{page}/edit", "store.manage"),
            (f"{page}/close", "store.manage"),
        ):
            assert client.get(path).status_code == (200 if roles.may(role, action) else 403), path

    @pytest.mark.parametrize("role", sorted({*ROLES} - {"owner", "manager"}))
    def test_writes_nothing_for_a_role_that_may_not(self, merchant, page, till, role):
        client = signed_in(make_staff(merchant, role))
        before = stores()
        paths = (f"{LIST}/new", f"{page}/edit", f"{page}/close", f"{page}/reopen", f"{page}/devices")

        statuses = [client.post(path, {"name": "Mallory"}).status_code for path in paths]
        statuses.append(client.post(f"{page}/devices/{shown('dev', till)}").status_code)

        assert statuses == [403] * 6
        assert stores() == before
        assert Device.objects.get().revoked_at is None

    def test_knows_no_stranger(self, other_merchant, bund, page, till, door):
        stranger = signed_in(make_staff(other_merchant, "owner"))
        own = Door(stranger)
        theirs = page.replace("/cafe/", "/bakery/")

        statuses = [stranger.get(page).status_code, stranger.post(f"{page}/close").status_code]
        # At his own desk, with the id of a store that is not his.
        statuses += [own.get(theirs).status_code, stranger.post(f"{theirs}/close").status_code]
        statuses.append(stranger.post(f"{theirs}/devices/{shown('dev', till)}").status_code)

        assert statuses == [404] * 5
        assert stores() == [("Bund", "", None)]
        assert Device.objects.get().revoked_at is None


class TestList:
    def test_shows_stores_in_few_statements(self, door, bund, till, django_assert_max_num_queries):
        with django_assert_max_num_queries(STATEMENTS_MAX):
            text = door.text(LIST)

        assert "Bund 1 Open" in text


class TestNew:
    def test_opens_one_for_both_modes_once(self, door):
        fields = door.fields(f"{LIST}/new")

        replies = [door.client.post(f"{LIST}/new", {**fields, "name": "Bund", "city": "Shanghai"}) for _ in range(2)]

        store = Store.objects.get()
        assert {reply.url for reply in replies} == {f"{LIST}/{shown('sto', store)}"}
        assert stores() == [("Bund", "Shanghai", None)]
        assert "Bund" in door.text(LIST.replace("/test/", "/"))
        record = AuditRecord.objects.get(action="store.open")
        assert (record.object_id, record.book_id) == (shown("sto", store), None)

    @pytest.mark.parametrize(
        ("name", "words"), [("Bund", "There is a store of this name already."), ("", "Fill this in.")]
    )
    def test_says_what_is_wrong(self, door, bund, name, words):
        reply = door.send(f"{LIST}/new", name=name)

        assert words in reply.content.decode()
        assert stores() == [("Bund", "", None)]


class TestEdit:
    def test_names_it_otherwise(self, door, page):
        door.send(f"{page}/edit", name="The Bund", city="Shanghai")

        assert stores() == [("The Bund", "Shanghai", None)]

    def test_refuses_what_somebody_changed_meanwhile(self, door, bund, page):
        fields = door.fields(f"{page}/edit")
        Store.objects.update(city="Suzhou")

        reply = door.client.post(f"{page}/edit", {**fields, "name": "Other"})

        assert "Somebody changed this meanwhile" in reply.content.decode()
        assert stores() == [("Bund", "Suzhou", None)]


class TestClose:
    def test_asks_first_and_can_be_undone_but_for_its_devices(self, door, page, till):
        assert "1 device in it is revoked for good" in door.text(f"{page}/close")

        door.send(f"{page}/close")
        closed = Store.objects.get().closed_at
        again = door.client.post(f"{page}/close", follow=True)
        door.send(f"{page}/reopen", page=page)

        assert closed is not None
        assert "This store was closed before." in again.content.decode()
        assert Store.objects.get().closed_at is None
        assert Device.objects.get().revoked_at == closed


class TestDevices:
    def test_are_added_and_revoked_once(self, door, page):
        door.send(f"{page}/devices", page=page, name="Till 1")
        device = Device.objects.get()
        path = f"{page}/devices/{shown('dev', device)}"
        fields = door.fields(path)

        door.client.post(path, fields)
        revoked = Device.objects.get().revoked_at
        again = door.client.post(path, follow=True)

        assert revoked is not None
        assert Device.objects.get().revoked_at == revoked
        assert "This device was revoked before." in again.content.decode()
        assert sorted(AuditRecord.objects.values_list("action", flat=True)) == ["device.add", "device.revoke"]

    def test_have_a_name_of_their_own_in_an_open_store(self, door, page, till):
        twice = door.send(f"{page}/devices", page=page, name="Till 1")
        door.send(f"{page}/close")
        closed = door.client.post(f"{page}/devices", {"name": "Till 2"})

        assert "There is a device of this name in the store already." in twice.content.decode()
        assert "This store is closed." in closed.content.decode()
        assert Device.objects.count() == 1
