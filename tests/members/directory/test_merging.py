"""Two members become one and two again; nothing is lost on the way, and nothing in the ledger moves."""

import pytest

from members.directory import duplicates, merging, operations, queries
from members.directory.models import Duplicate, Member, MemberTag, Merge
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.events.models import Event
from tests.architecture.asking import as_owner
from tests.cast import NOW, race
from tests.members.people import hand_of, join

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
PHONE = "138 0013 8000"
# What two rooms above were told, in order: the port of merges.
TOLD: list[tuple[str, str, bool]] = []


def note(*, loser, winner, now, undo):
    TOLD.append((loser.number, winner.number, undo))


def merge(book, loser, winner):
    with tenancy.within(book.pk):
        return merging.merge(loser_id=loser.pk, winner_id=winner.pk, hand=hand_of(book))


def undo(book, merged):
    with tenancy.within(book.pk):
        return merging.undo(merge_id=merged.pk, hand=hand_of(book))


def stored(book):
    """The members and their tags, as they stand."""
    with tenancy.within(book.pk):
        rows = Member.objects.order_by("pk").values("number", "status", "merged_into_id", "household_id", "birthday")
        tags = MemberTag.objects.order_by("member_id", "tag__name").values_list("member_id", "tag__name")
        return list(rows), list(tags)


def open_pairs(book):
    with tenancy.within(book.pk):
        return sorted(Duplicate.objects.filter(closed_at=None).values_list("member__number", "other__number", "reason"))


@pytest.mark.requirement("A17")
class TestMerge:
    def test_and_undo_is_as_if_nothing_had_been(self, book, settings):
        TOLD.clear()
        settings.MEMBER_MERGE = [f"{__name__}.note", "members.features.operations.merge"]
        winner = join(book, name="Lin Mei", phone=PHONE, tags=["regular"])
        loser = join(book, name="Lin Mei", phone=PHONE, tags=["regular", "vip"], household="Lin")
        before, pairs = stored(book), open_pairs(book)

        merged = merge(book, loser, winner)

        with tenancy.within(book.pk):
            assert queries.alive(loser.pk) == winner
            assert queries.of_customer(loser.customer_id) == winner
            assert queries.customer_ids(winner.pk) == sorted([winner.customer_id, loser.customer_id])
            assert queries.about([winner.pk])[winner.pk].tags == ["regular", "vip"]
            assert queries.find(winner.pk).household.name == "Lin"
        assert open_pairs(book) == []
        undo(book, merged)
        assert stored(book) == before
        assert open_pairs(book) == pairs == [(loser.number, winner.number, "phone")]
        assert [(loser.number, winner.number, False), (loser.number, winner.number, True)] == TOLD

    def test_of_a_winner_takes_its_aliases_along_and_back(self, book):
        one, two, three = (join(book, name=name) for name in ("A", "B", "C"))
        first = merge(book, one, two)
        second = merge(book, two, three)

        with tenancy.within(book.pk):
            assert queries.alive(one.pk) == queries.alive(two.pk) == three
        with pytest.raises(merging.NotUndoable):
            undo(book, first)
        undo(book, second)
        with tenancy.within(book.pk):
            assert queries.alive(one.pk) == two
        undo(book, first)
        with tenancy.within(book.pk):
            assert set(Member.objects.values_list("status", flat=True)) == {"active"}

    def test_leaves_orders_and_the_ledger_as_they_are(self, api, book, customer, wallet_method):
        method = wallet_method(customer, 5_000)
        paid = api.post(
            "payment_intents",
            {
                "amount": 1_200,
                "currency": "cny",
                "customer": f"{api.get('customers').json['data'][0]['id']}",
                "payment_method": api.get(
                    f"customers/{api.get('customers').json['data'][0]['id']}/payment_methods"
                ).json["data"][0]["id"],
                "confirm": True,
            },
        )
        assert (paid.status, method.customer_id) == (200, customer.pk)
        with tenancy.within(book.pk):
            loser = operations.enrol(customer_id=customer.pk, source="api", now=NOW, origin=hand_of(book).origin)
        winner = join(book, name="Lin Mei")
        tables = (
            "payments_order",
            "payments_transfer",
            "payments_entry",
            "payments_paymentintent",
            "payments_customer",
        )
        before = [as_owner(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id") for table in tables]

        merge(book, loser, winner)

        assert [as_owner(f"SELECT to_jsonb(t) FROM {table} t ORDER BY id") for table in tables] == before

    @pytest.mark.parametrize("case", ["itself", "merged", "left"])
    def test_refuses_what_is_no_pair_of_members(self, book, case):
        one, two, three = (join(book, name=name) for name in ("A", "B", "C"))
        with tenancy.within(book.pk):
            if case == "left":
                operations.leave(member_id=two.pk, now=NOW, origin=hand_of(book).origin)
        if case == "merged":
            merge(book, two, three)

        with pytest.raises(PlatformError):
            merge(book, one, one if case == "itself" else two)

        with tenancy.within(book.pk):
            assert Member.objects.get(pk=one.pk).status == "active"

    def test_of_two_into_each_other_at_once_is_one_merge(self, book):
        one, two = join(book, name="A"), join(book, name="B")

        outcomes = race(lambda: merge(book, one, two), lambda: merge(book, two, one))

        assert sorted(type(each).__name__ for each in outcomes) == ["Merge", "NotMergeable"]
        with tenancy.within(book.pk):
            assert Merge.objects.count() == 1
            assert Event.objects.filter(type="member.merged").count() == 1


class TestDuplicates:
    def test_are_as_many_as_members_however_many_share_a_name(self, book):
        eldest, *rest = [join(book, name="王伟") for _ in range(5)]

        assert open_pairs(book) == sorted((each.number, eldest.number, "name") for each in rest)

    def test_are_told_by_the_strongest_that_they_share(self, book):
        eldest = join(book, name="Lin Mei", phone=PHONE, email="mei@example.com")
        younger = join(book, name="lin  mei", email="MEI@example.com")

        assert open_pairs(book) == [(younger.number, eldest.number, "email")]

    def test_said_to_be_two_people_stay_two(self, book):
        join(book, name="Lin Mei", phone=PHONE)
        younger = join(book, name="Lin Mei")
        with tenancy.within(book.pk):
            duplicates.dismiss(duplicate_id=Duplicate.objects.get().pk, now=NOW)
            duplicates.look_for([younger.pk], now=NOW)

        assert open_pairs(book) == []
