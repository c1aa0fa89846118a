"""/v1/points, /v1/tiers, /v1/rewards, /v1/redemptions"""

import pytest

from members.loyalty import operations, rewards
from merchant_platform.kernel import clock, tenancy
from security.audit.models import AuditRecord
from tests.cast import NOW, move_clock, race, shown
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, catch_up
from tests.payments import books
from tests.payments.acts import pay

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def programme(book):
    made = scheme.start(book)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=made.pk, points=500, reference="budget", now=NOW)
    return made


@pytest.fixture
def member(customer, programme):
    return scheme.join(customer)


@pytest.fixture
def friend(make_customer, book):
    return scheme.join(make_customer(book, name="Wang Wei"))


@pytest.fixture
def adjust(api, member):
    def act(points, **more):
        return api.post(
            "points/adjustments", {"member": shown("mem", member), "points": points, "reason": "Late", **more}
        )

    return act


class TestPoints:
    def test_shows_balance_and_statement_of_a_member(
        self, api, book, programme, member, customer, wallet_method, adjust
    ):
        pay(api, wallet_method(customer), 12_300)
        catch_up(book)
        adjusted = adjust(50)

        statement = api.get("points/transactions", {"member": shown("mem", member), "limit": 1}).json
        rest = api.get(
            "points/transactions", {"member": shown("mem", member), "starting_after": statement["data"][0]["id"]}
        ).json

        assert adjusted.json == {
            "object": "points_balance",
            "available": 50,
            "debt": 0,
            "expires_at": int((NOW + 365 * DAY).timestamp()),
            "expiring_next": 50,
            "livemode": False,
            "member": shown("mem", member),
            "pending": 123,
            "programme": shown("prog", programme),
        }
        assert [(each["type"], each["points"], each["pending"]) for each in statement["data"]] == [
            ("points_adjusted", 50, 0)
        ]
        assert statement["has_more"]
        assert [(each["type"], each["points"], each["pending"]) for each in rest["data"]] == [("points_earned", 0, 123)]

    def test_signs_an_adjustment_and_does_it_once_a_key(self, api, member, adjust):
        body = {"member": shown("mem", member), "points": 50, "reason": "Late"}

        first = api.post("points/adjustments", body, idempotency_key="one")
        again = api.post("points/adjustments", body, idempotency_key="one")

        assert (first.json, again.headers["Idempotent-Replayed"]) == (again.json, "true")
        signed = AuditRecord.objects.get(action="points.adjust")
        assert (signed.object_id, signed.detail) == (shown("mem", member), {"points": 50, "reason": "Late"})

    @pytest.mark.parametrize(
        ("params", "status", "code", "param"),
        [
            ({"points": 501}, 400, "points_budget_exceeded", "points"),
            ({"points": -1}, 400, "points_insufficient", "points"),
            ({"points": 0}, 400, "parameter_invalid_integer", "points"),
            ({"points": 1, "reason": " "}, 400, "parameter_invalid", "reason"),
            ({"points": 1, "member": "mem_1"}, 400, "resource_missing", "member"),
            ({"points": 1, "programme": "prog_0000000000000000000000"}, 400, "resource_missing", "programme"),
            ({"points": 1, "colour": "red"}, 400, "parameter_unknown", "colour"),
        ],
    )
    def test_refuses_and_writes_nothing(self, programme, adjust, params, status, code, param):
        with books.unchanged():
            refused = adjust(**params)

        assert (refused.status, refused.error["code"], refused.error["param"]) == (status, code, param)

    def test_transfers_between_members(self, api, programme, member, friend, adjust):
        adjust(50)
        params = {"sender": shown("mem", member), "recipient": shown("mem", friend), "points": 20}

        moved = api.post("points/transfers", params)
        refused = api.post("points/transfers", {**params, "points": 31})

        assert (moved.json["available"], refused.error["code"]) == (30, "points_insufficient")
        assert scheme.points(friend, programme) == (20, 0, 0)

    def test_knows_nothing_of_a_strangers_members(self, other_api, programme, member):
        found = other_api.get("points/balance", {"member": shown("mem", member), "programme": shown("prog", programme)})

        assert (found.status, found.error["code"]) == (400, "resource_missing")
        assert other_api.get(f"points/programmes/{shown('prog', programme)}").status == 404


class TestTiers:
    def test_say_what_is_missing_and_until_when(self, api, book, programme, member, customer, wallet_method):
        pay(api, wallet_method(customer), 60_000)
        catch_up(book)

        standing = api.get("tiers/standing", {"member": shown("mem", member)}).json

        assert [each["key"] for each in api.get("tiers").json["data"]] == ["silver", "gold"]
        assert (standing["tier"], standing["next_tier"], standing["missing"]) == ("silver", "gold", 140_000)
        assert (standing["score"], standing["benefits"]) == (60_000, ["Free tea"])
        assert standing["until"] == int((NOW + 395 * DAY).timestamp())


class TestRewards:
    @pytest.fixture
    def reward(self, api, programme):
        return api.post("rewards", {"name": "A coffee", "points": 20, "stock": 1}).json

    def test_are_held_then_handed_over(self, api, programme, member, adjust, reward):
        adjust(50)

        held = api.post(f"rewards/{reward['id']}/redeem", {"member": shown("mem", member)}).json
        while_held = scheme.points(member, programme)
        done = api.post(f"redemptions/{held['id']}/complete").json
        again = api.post(f"redemptions/{held['id']}/cancel")

        assert (held["status"], done["status"], while_held) == ("held", "completed", (30, 0, 0))
        assert (again.status, again.error["code"]) == (400, "redemption_unexpected_state")
        assert scheme.points(member, programme) == (30, 0, 0)
        assert api.get("redemptions", {"member": shown("mem", member)}).json["data"] == [done]
        scheme.assert_proved()

    def test_give_the_last_one_to_one_of_two(self, api, programme, member, friend, adjust, reward):
        adjust(50)
        api.post("points/adjustments", {"member": shown("mem", friend), "points": 50, "reason": "Late"})

        answers = race(
            *(
                lambda who=who: api.post(f"rewards/{reward['id']}/redeem", {"member": shown("mem", who)})
                for who in (member, friend)
            )
        )

        assert sorted(each.status for each in answers) == [200, 400]
        assert [each.error["code"] for each in answers if each.status == 400] == ["reward_unavailable"]

    def test_go_back_when_nobody_comes(self, api, book, programme, member, adjust, reward):
        adjust(50)
        api.post(f"rewards/{reward['id']}/redeem", {"member": shown("mem", member)})
        move_clock(book, NOW + DAY)

        voided = rewards.void_expired(now=clock.wall()), rewards.void_expired(now=clock.wall())

        assert voided == (1, 0)
        assert scheme.points(member, programme) == (50, 0, 0)
        assert api.get(f"rewards/{reward['id']}").json["stock"] == 1
