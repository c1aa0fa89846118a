"""Staff at the desk: invited, joined, changed, handed the business, gone, and what each role may of it."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from merchant_platform.kernel import clock
from security.access import roles
from security.access.roles import CASHIER, MANAGER, OWNER, SUPPORT
from security.audit.models import AuditRecord
from security.identity.models import User
from security.merchants import invitations
from security.merchants.models import Invitation, Staff
from security.messaging import operations as messaging
from security.messaging.models import Message
from tests.cast import shown
from tests.desks import TEST, Door, words
from tests.staff import ROLES, make_staff, sign_in, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("B5")]

LIST = f"{TEST}/staff"
EMAIL, PASSWORD = "wang.fang@example.com", "a quiet corner of the park"
STATEMENTS_LIST, STATEMENTS_PERSON = 10, 11


@pytest.fixture
def chief(merchant):
    return make_staff(merchant, OWNER)


@pytest.fixture
def boss(chief):
    return Door(signed_in(chief))


@pytest.fixture
def lead(merchant):
    return make_staff(merchant, MANAGER)


@pytest.fixture
def door(lead):
    return Door(signed_in(lead))


@pytest.fixture
def till_hand(merchant):
    return make_staff(merchant, CASHIER)


def path_of(person, act=""):
    return f"{LIST}/{shown('stf', person)}{act}"


def link():
    """The address in the letter that was sent last, once the outbox is emptied."""
    messaging.send_due(now=clock.wall())
    (found,) = re.findall(r"https?://[^/\s]+(/invitations/\S+)", mail.outbox[-1].body)
    return found


def roles_now():
    return sorted(Staff.objects.filter(left_at=None).values_list("user__email", "role"))


class TestEveryDoor:
    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_roles_as_the_table_says(self, merchant, till_hand, role):
        client = signed_in(make_staff(merchant, role, user=User.objects.create_user(f"x{role}@example.com")))

        for path, action in (
            (LIST, "staff.view"),
            (path_of(till_hand), "staff.view"),
            (f"{LIST}/invite", "staff.invite"),
        ):
            assert client.get(path).status_code == (200 if roles.may(role, action) else 403), path
        assert client.get(path_of(till_hand, "/remove")).status_code == (302 if role in (OWNER, MANAGER) else 403)
        assert client.get(path_of(till_hand, "/hand-over")).status_code == (302 if role == OWNER else 403)
        assert client.get(f"{TEST}/roles").status_code == 200
        assert client.get(f"{LIST}/leave").status_code == 200

    @pytest.mark.parametrize("role", sorted({*ROLES} - {OWNER, MANAGER}))
    def test_writes_nothing_for_a_role_that_may_not(self, merchant, chief, role):
        client = signed_in(make_staff(merchant, role))
        before = roles_now()

        statuses = [
            client.post(f"{LIST}/invite", {"email": EMAIL, "role": OWNER}).status_code,
            client.post(path_of(chief, "/change?role=cashier")).status_code,
            client.post(path_of(chief, "/remove")).status_code,
            client.post(path_of(chief, "/hand-over")).status_code,
        ]

        assert statuses == [403] * 4
        assert roles_now() == before
        assert Invitation.objects.count() == 0

    def test_knows_no_stranger(self, other_merchant, till_hand):
        stranger = signed_in(make_staff(other_merchant, OWNER))
        theirs = path_of(till_hand).replace("/cafe/", "/bakery/")

        assert stranger.get(LIST).status_code == 404
        assert stranger.get(theirs).status_code == 404
        assert stranger.post(f"{theirs}/remove").status_code == 404
        assert stranger.get(f"{theirs}/change?role=cashier").status_code == 404


class TestList:
    def test_shows_who_works_here_in_few_statements(self, door, chief, till_hand, django_assert_max_num_queries):
        door.send(f"{LIST}/invite", email=EMAIL, role=CASHIER)

        with django_assert_max_num_queries(STATEMENTS_LIST):
            text = door.text(LIST)

        assert (
            text.index("owner@cafe.example") < text.index("manager@cafe.example") < text.index("cashier@cafe.example")
        )
        assert EMAIL in text
        with django_assert_max_num_queries(STATEMENTS_PERSON):
            door.text(path_of(till_hand))


class TestInvite:
    def test_sends_one_letter_with_a_link(self, door, merchant):
        fields = door.fields(f"{LIST}/invite")

        for _ in range(2):
            door.client.post(f"{LIST}/invite", {**fields, "email": EMAIL.upper(), "role": CASHIER})

        secret = link().rpartition("/")[2]
        (letter,) = mail.outbox
        assert letter.to == [EMAIL]
        assert letter.subject == "Café Moka邀请您加入"
        assert bytes(Invitation.objects.get().digest) == invitations.digest(secret)
        record = AuditRecord.objects.get(action="staff.invite")
        assert EMAIL not in str(record.detail)

    @pytest.mark.parametrize(
        ("values", "said"),
        [
            ({"role": OWNER}, "Choose a role from the list."),
            ({"role": MANAGER}, "Choose a role from the list."),
            ({"role": "operator"}, "Choose a role from the list."),
            ({"email": "nonsense"}, "This is no e-mail address."),
            ({"email": "manager@cafe.example"}, "This person works here already."),
            ({"stores": "sto_elsewhere"}, "Choose stores from the list."),
        ],
    )
    def test_says_what_is_wrong(self, door, values, said):
        reply = door.send(f"{LIST}/invite", **{"email": EMAIL, "role": CASHIER, **values})

        assert said in reply.content.decode()
        assert (Invitation.objects.count(), Message.objects.count()) == (0, 0)

    def test_is_sent_again_and_revoked(self, door, monkeypatch):
        door.send(f"{LIST}/invite", email=EMAIL, role=CASHIER)
        first = link()
        path = f"{LIST}/invitations/{shown('inv', Invitation.objects.get())}"

        soon = door.client.post(f"{path}/again", follow=True)
        Invitation.objects.update(sent_at=clock.wall() - timedelta(minutes=2))
        door.send(f"{path}/again", page=LIST)
        second = link()
        door.send(f"{path}/revoke", page=LIST)

        assert "It was sent a moment ago." in soon.content.decode()
        assert len(mail.outbox) == 2
        assert first != second
        assert [Client().get(address).status_code for address in (first, second)] == [404, 404]

    def test_is_not_anothers_to_send_again(self, door, other_merchant):
        door.send(f"{LIST}/invite", email=EMAIL, role=CASHIER)
        path = f"{LIST}/invitations/{shown('inv', Invitation.objects.get())}".replace("/cafe/", "/bakery/")
        stranger = signed_in(make_staff(other_merchant, OWNER))

        assert [stranger.post(f"{path}/{act}").status_code for act in ("again", "revoke")] == [404, 404]
        assert Invitation.objects.get().revoked_at is None


class TestAccept:
    @pytest.fixture
    def offered(self, door):
        door.send(f"{LIST}/invite", email=EMAIL, role=CASHIER)
        return link()

    def test_makes_a_login_for_who_has_none(self, offered, merchant):
        visitor = Door(Client())
        page = visitor.get(offered)
        assert "Your login will be" in page.content.decode()
        assert page["Referrer-Policy"] == "same-origin"

        reply = visitor.client.post(offered, {"name": "Wang Fang", "password": PASSWORD})

        user = User.objects.get(email=EMAIL)
        assert (user.name, user.check_password(PASSWORD)) == ("Wang Fang", True)
        assert user.emailaddress_set.get().verified
        assert (EMAIL, CASHIER) in roles_now()
        assert reply.url.startswith("/accounts/login/")
        assert visitor.get(offered).status_code == 404
        assert sign_in(user).get(f"{TEST}/roles").status_code == 200
        assert AuditRecord.objects.get(action="staff.join").detail["role"] == CASHIER

    @pytest.mark.parametrize("password", ["short", "password123", "1234567890", "", "wang.fang@example.com"])
    def test_refuses_a_weak_password(self, offered, password):
        reply = Client().post(offered, {"name": "Wang", "password": password})

        assert reply.status_code == 200
        assert not User.objects.filter(email=EMAIL).exists()
        assert Invitation.objects.get().accepted_at is None

    def test_asks_who_has_a_login_to_sign_in(self, offered):
        user = User.objects.create_user(EMAIL, PASSWORD)

        page = Client().get(offered).content.decode()
        refused = Client().post(offered, {"name": "Wang", "password": PASSWORD})
        accepted = sign_in(user).post(offered)

        assert "/accounts/login/?next=" in page
        assert "There is a login for this address. Sign in to accept." in refused.content.decode()
        assert accepted.url == "/dashboard/cafe/"
        assert (EMAIL, CASHIER) in roles_now()

    def test_is_not_for_somebody_else(self, offered, other_merchant):
        other = signed_in(make_staff(other_merchant, OWNER))

        page = other.get(offered).content.decode()
        reply = other.post(offered)

        assert "Sign out first." in page
        assert "This invitation is for another e-mail address." in reply.content.decode()
        assert Invitation.objects.get().accepted_at is None

    @pytest.mark.parametrize("secret", ["x", "x" * 43, "%00"])
    def test_opens_nothing_by_guessing(self, offered, secret):
        assert Client().get(f"/invitations/{secret}").status_code == 404
        assert Client().post(f"/invitations/{secret}", {"name": "W", "password": PASSWORD}).status_code == 404


class TestChange:
    def test_is_confirmed_with_a_factor_for_this_role_alone(self, boss, till_hand):
        path = path_of(till_hand, f"/change?role={MANAGER}")
        assert boss.client.post(path).status_code == 302
        boss.prove(path)
        assert "Manager" in boss.text(path)

        other = boss.client.post(path_of(till_hand, f"/change?role={OWNER}"))
        done = boss.send(path)

        assert other.status_code == 302
        assert other.url.startswith("/accounts/")
        assert done.url == path_of(till_hand)
        assert ("cashier@cafe.example", MANAGER) in roles_now()
        record = AuditRecord.objects.get(action="staff.change")
        assert (record.detail["before"], record.detail["after"]) == (CASHIER, MANAGER)

    def test_raises_nobody_above_what_a_manager_may(self, door, lead, till_hand, chief):
        before = roles_now()

        for path in (path_of(till_hand, "/change?role=owner"), path_of(lead, "/change?role=owner")):
            assert door.client.post(path).status_code == 303
        for person in (lead, chief):
            path = path_of(person, f"/change?role={SUPPORT}")
            door.prove(path)
            assert door.send(path).status_code == 303

        assert roles_now() == before

    def test_refuses_what_somebody_changed_meanwhile(self, boss, till_hand):
        seen = boss.fields(path_of(till_hand))["seen"]
        Staff.objects.filter(pk=till_hand.pk).update(role=SUPPORT)
        path = path_of(till_hand, f"/change?role={MANAGER}&seen={seen}")
        boss.prove(path)

        reply = boss.client.post(path, boss.fields(path), follow=True)

        assert "Somebody changed this meanwhile" in words(reply)
        assert ("cashier@cafe.example", SUPPORT) in roles_now()


class TestLeave:
    def test_ends_every_page_of_the_merchant_at_once(self, boss, till_hand):
        at_the_till = signed_in(till_hand)
        assert at_the_till.get(f"{TEST}/customers").status_code == 200
        path = path_of(till_hand, "/remove")
        boss.prove(path)

        boss.send(path)

        assert at_the_till.get(f"{TEST}/customers").status_code == 404
        assert "cashier@cafe.example" not in dict(roles_now())
        assert "cashier@cafe.example" in boss.text(f"{LIST}?tab=left")

    def test_is_open_to_everybody_but_the_last_owner(self, boss, door, till_hand):
        own = Door(signed_in(till_hand))

        own.send(f"{LIST}/leave")
        kept = boss.client.post(f"{LIST}/leave", boss.fields(f"{LIST}/leave"), follow=True)

        assert own.get(f"{TEST}/roles").status_code == 404
        assert "A merchant needs an owner." in words(kept)
        assert roles_now() == [("manager@cafe.example", MANAGER), ("owner@cafe.example", OWNER)]

    def test_of_the_owner_is_no_managers_to_decide(self, door, chief):
        path = path_of(chief, "/remove")
        door.prove(path)

        reply = door.client.post(path, door.fields(path), follow=True)

        assert "Your role does not reach that far." in words(reply)
        assert ("owner@cafe.example", OWNER) in roles_now()


class TestHandOver:
    def test_changes_places_once_a_factor_was_shown(self, boss, lead):
        path = path_of(lead, "/hand-over")
        boss.prove(path)

        boss.send(path)

        assert roles_now() == [("manager@cafe.example", OWNER), ("owner@cafe.example", MANAGER)]
        assert boss.get(path).status_code == 403


class TestRoles:
    @pytest.mark.parametrize("role", ["cashier", "owner"])
    def test_shows_what_the_table_says(self, merchant, role):
        html = signed_in(make_staff(merchant, role)).get(f"{TEST}/roles").content.decode()

        row = html[html.index("See the balance and payouts") :]
        marks = re.findall(r'<span class="unseen">(Yes|No)</span>', row)[: len(ROLES)]
        assert marks == ["Yes" if roles.may(each, "balance.view") else "No" for each in ROLES]
        assert "Found merchants" not in html
