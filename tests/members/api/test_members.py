"""/v1/members: made, found, changed, merged; contacts in the clear in one answer alone."""

import json

import pytest

from members.directory.models import Member
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Event
from security.audit.models import AuditRecord
from tests.architecture.asking import as_owner
from tests.cast import shown

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
LIN = {"name": "Lin Mei", "phone": "138 0013 8000", "email": "Mei@Example.com", "tags": ["vip", "regular"]}


@pytest.fixture
def member(api):
    reply = api.post("members", LIN)
    assert reply.status == 200, reply.json
    return reply.json


class TestCreate:
    @pytest.mark.requirement("A24")
    def test_answers_the_member_with_its_contacts_masked(self, api, book, member):
        assert member == {
            "id": member["id"],
            "object": "member",
            "birthday": None,
            "contacts": {"email": "m***@example.com", "phone": "+86*******8000"},
            "created": 1772443800,
            "customer": member["customer"],
            "household": None,
            "joined": 1772443800,
            "livemode": False,
            "merged_into": None,
            "name": "Lin Mei",
            "number": member["number"],
            "source": "api",
            "status": "active",
            "store": None,
            "tags": ["regular", "vip"],
        }
        assert api.get(f"members/{member['id']}").json == member
        customer = api.get(f"customers/{member['customer']}").json
        assert (customer["name"], customer["phone"], customer["email"]) == ("Lin Mei", None, None)

    def test_keeps_no_contact_in_the_answer_of_a_key(self, api):
        first = api.post("members", LIN, idempotency_key="join-1")
        again = api.post("members", LIN, idempotency_key="join-1")

        assert (again.json, again.headers["Idempotent-Replayed"]) == (first.json, "true")
        kept = str(as_owner("SELECT to_jsonb(t) FROM kernel_idempotencykey t"))
        assert [each for each in ("13800138000", "138 0013", "mei@example") if each in kept.lower()] == []

    def test_of_a_customer_is_once_and_the_same(self, api, customer):
        one = api.post("members", {"customer": shown("cus", customer)}).json
        other = api.post("members", {"customer": shown("cus", customer), "tags": ["vip"]}).json

        assert one["id"] == other["id"]
        assert (one["customer"], other["tags"]) == (shown("cus", customer), ["vip"])

    @pytest.mark.parametrize(
        ("params", "code", "param"),
        [
            ({"phone": "12"}, "phone_invalid", "phone"),
            ({"email": "nobody"}, "email_invalid", "email"),
            ({"phone": LIN["phone"]}, "member_exists", "phone"),
            ({"birthday": "1990-05-04"}, "consent_missing", "birthday"),
            ({"birthday": "4.5.1990"}, "parameter_invalid", "birthday"),
            ({"birthday": "2999-01-01", "consents": ["personalisation"]}, "parameter_invalid", "birthday"),
            ({"consents": ["everything"]}, "parameter_invalid", "consents[0]"),
            ({"customer": "cus_nobody"}, "resource_missing", "customer"),
            ({"customer": "cus_0000000000000000000001"}, "resource_missing", "customer"),
            ({"store": "sto_0000000000000000000001"}, "resource_missing", "store"),
            ({"number": "1"}, "parameter_unknown", "number"),
            ({"tags": ["a,b"]}, "parameter_invalid", "tags"),
        ],
    )
    def test_refuses_with_a_code_and_writes_nothing(self, api, book, member, params, code, param):
        reply = api.post("members", params)

        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, code, param)
        with tenancy.within(book.pk):
            assert Member.objects.count() == 1

    def test_takes_a_birthday_with_the_consent_to_it(self, api):
        reply = api.post("members", {"name": "Lin", "birthday": "1990-05-04", "consents": ["personalisation"]})

        assert (reply.status, reply.json["birthday"]) == (200, "1990-05-04")


class TestUpdate:
    def test_changes_what_is_given_and_deletes_what_is_empty(self, api, book, member):
        changed = api.post(f"members/{member['id']}", {"email": "", "household": "Lin", "tags": ["vip"]}).json

        assert changed == {
            **member,
            "contacts": {"email": None, "phone": "+86*******8000"},
            "household": "Lin",
            "tags": ["vip"],
        }
        with tenancy.within(book.pk):
            told = Event.objects.filter(type="member.updated").order_by("pk").last()
        assert "+8613800138000" not in told.data
        assert set(json.loads(told.previous_attributes)) == {"contacts", "household", "tags"}


class TestContacts:
    def test_are_in_the_clear_and_noted(self, api, book, member):
        reply = api.get(f"members/{member['id']}/contacts")

        assert reply.json == {
            "id": member["id"],
            "object": "member_contacts",
            "email": "mei@example.com",
            "phone": "+8613800138000",
        }
        with tenancy.within(book.pk):
            assert AuditRecord.objects.filter(action="member.contacts", object_id=member["id"]).count() == 1


class TestList:
    def test_finds_and_pages(self, api, member):
        others = [api.post("members", {"name": f"N{n}"}).json for n in range(3)]
        found = {
            name: [each["id"] for each in api.get("members", {name: value}).json["data"]]
            for name, value in {
                "phone": "+8613800138000",
                "email": "MEI@example.com",
                "number": member["number"],
                "tag": "vip",
                "customer": member["customer"],
            }.items()
        }
        first = api.get("members", {"limit": 3}).json
        rest = api.get("members", {"limit": 3, "starting_after": first["data"][-1]["id"]}).json

        assert set(map(tuple, found.values())) == {(member["id"],)}
        assert [each["id"] for each in (*first["data"], *rest["data"])] == [
            each["id"] for each in (*reversed(others), member)
        ]
        assert (first["has_more"], rest["has_more"]) == (True, False)

    def test_asks_as_much_for_many_as_for_one(self, api, member, django_assert_num_queries):
        for limit in (1, 4):
            api.post("members", {"name": f"N{limit}"})
            with django_assert_num_queries(5):
                api.get("members", {"limit": limit})


class TestMerge:
    def test_and_unmerge(self, api, member):
        other = api.post("members", {"name": "Lin M"}).json

        merged = api.post(f"members/{other['id']}/merge", {"into": member["id"]})
        assert (merged.status, merged.json["status"], merged.json["merged_into"]) == (200, "merged", member["id"])
        again = api.post(f"members/{other['id']}/merge", {"into": member["id"]})
        assert (again.status, again.error["code"]) == (400, "member_unexpected_state")
        back = api.post(f"members/{other['id']}/unmerge")
        assert (back.status, back.json["status"], back.json["merged_into"]) == (200, "active", None)

    @pytest.mark.parametrize("into", ["mem_0000000000000000000001", "mem_x", "itself"])
    def test_refuses_whom_it_cannot_merge_into(self, api, member, into):
        reply = api.post(f"members/{member['id']}/merge", {"into": member["id"] if into == "itself" else into})

        assert (reply.status, reply.error["param"]) == (400, "into")


class TestDuplicates:
    def test_are_listed_until_they_are_merged_or_told_apart(self, api, member):
        one, two = (api.post("members", {"name": "Lin Mei"}).json["id"] for _ in range(2))

        listed = api.get("member_duplicates", {"expand": ["data.other"]}).json
        second, first = listed["data"]
        told_apart = api.post(f"member_duplicates/{second['id']}/dismiss").json
        api.post(f"members/{one}/merge", {"into": member["id"]})
        merged = api.get(f"member_duplicates/{first['id']}").json

        assert first == {
            "id": first["id"],
            "object": "member_duplicate",
            "closed": None,
            "created": 1772443800,
            "livemode": False,
            "member": one,
            "other": member,
            "reason": "name",
            "status": "open",
        }
        assert (second["member"], told_apart["status"], merged["status"]) == (two, "dismissed", "merged")
        assert api.get("member_duplicates").json["data"] == []
        assert AuditRecord.objects.filter(action="member.told_apart", object_id=second["id"]).count() == 1
        api.post(f"members/{one}/unmerge")
        assert [each["id"] for each in api.get("member_duplicates").json["data"]] == [first["id"]]

    def test_are_nobody_elses(self, api, other_api, restricted_key, member):
        api.post("members", {"name": "Lin Mei"})
        pair = api.get("member_duplicates").json["data"][0]
        address = f"member_duplicates/{pair['id']}"

        refused = [other_api.get(address), other_api.post(f"{address}/dismiss")]

        assert [each.status for each in refused] == [404, 404]
        assert other_api.get("member_duplicates").json["data"] == []
        reader = api.with_key(restricted_key(members="read"))
        assert (reader.get(address).status, reader.post(f"{address}/dismiss").status) == (200, 403)
        assert api.get(address).json == pair

    def test_asks_as_much_for_many_as_for_one(self, api, member, django_assert_num_queries):
        for count in (1, 3):
            for _ in range(count):
                api.post("members", {"name": "Lin Mei"})
            with django_assert_num_queries(3):
                api.get("member_duplicates")


class TestStranger:
    def test_finds_nothing_and_changes_nothing(self, api, other_api, restricted_key, member):
        address = f"members/{member['id']}"

        refused = [
            other_api.get(address),
            other_api.get(f"{address}/contacts"),
            other_api.post(address, {"name": "X"}),
            other_api.post(f"{address}/merge", {"into": member["id"]}),
            other_api.post(f"{address}/leave"),
        ]

        assert [each.status for each in refused] == [404] * 5
        assert other_api.get("members", {"phone": LIN["phone"]}).json["data"] == []
        reader = api.with_key(restricted_key(members="read"))
        assert (reader.get(address).status, reader.post(address, {"name": "X"}).status) == (200, 403)
        assert api.with_key(restricted_key(customers="write")).get(address).status == 403
        assert api.get(address).json == member


class TestLeave:
    def test_forgets_the_person_and_keeps_the_row(self, api, member):
        left = api.post(f"members/{member['id']}/leave").json

        assert (left["status"], left["contacts"], left["tags"]) == ("left", {"email": None, "phone": None}, [])
        assert api.post(f"members/{member['id']}", {"name": "X"}).error["code"] == "member_unexpected_state"
