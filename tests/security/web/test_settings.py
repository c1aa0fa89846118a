"""The settings of a business: seen by some, changed by the owner."""

import pytest

from security.access import roles
from security.audit.models import AuditRecord
from security.merchants.models import Merchant
from tests.desks import TEST, Door
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("B5")]

PAGE = f"{TEST}/settings"
GIVEN = {"name": "Moka & Co", "time_zone": "Europe/Paris", "language": "en"}


class TestProfile:
    @pytest.mark.parametrize("role", ROLES)
    def test_is_seen_by_roles_as_the_table_says_and_changed_by_the_owner(self, merchant, role):
        client = signed_in(make_staff(merchant, role))

        seen, sent = client.get(PAGE).status_code, client.post(PAGE, GIVEN).status_code

        assert seen == (200 if roles.may(role, "merchant.view") else 403)
        assert sent == (303 if role == "owner" else 403)
        name = Merchant.objects.get(pk=merchant.pk).name
        assert name == ("Moka & Co" if role == "owner" else "Café Moka")

    def test_is_changed_at_once_and_written_down(self, merchant):
        door = Door(signed_in(make_staff(merchant)))

        door.send(PAGE, **GIVEN)

        row = Merchant.objects.get(pk=merchant.pk)
        assert (row.name, row.time_zone, row.language) == ("Moka & Co", "Europe/Paris", "en")
        assert "Moka &amp; Co" in door.get(PAGE).content.decode()
        assert AuditRecord.objects.get(action="merchant.edit").detail == {"fields": ["language", "name", "time_zone"]}

    @pytest.mark.parametrize(
        "mistake", [{"name": ""}, {"name": "x" * 121}, {"time_zone": "Mars/Olympus"}, {"language": "fr"}]
    )
    def test_refuses_what_is_none(self, merchant, mistake):
        door = Door(signed_in(make_staff(merchant)))

        reply = door.send(PAGE, **{**GIVEN, **mistake})

        assert reply.status_code == 200
        assert Merchant.objects.get(pk=merchant.pk).name == "Café Moka"

    def test_refuses_what_somebody_changed_meanwhile(self, merchant):
        door = Door(signed_in(make_staff(merchant)))
        fields = door.fields(PAGE)
        Merchant.objects.filter(pk=merchant.pk).update(name="First")

        reply = door.client.post(PAGE, {**fields, **GIVEN})

        assert "Somebody changed this meanwhile" in reply.content.decode()
        assert Merchant.objects.get(pk=merchant.pk).name == "First"

    def test_knows_no_stranger(self, other_merchant, merchant):
        stranger = signed_in(make_staff(other_merchant))

        assert (stranger.get(PAGE).status_code, stranger.post(PAGE, GIVEN).status_code) == (404, 404)
        assert Merchant.objects.get(pk=merchant.pk).name == "Café Moka"
