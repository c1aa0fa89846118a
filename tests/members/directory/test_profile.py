"""What is kept of a member: contacts under seal, corrections with what was before, nothing that was not allowed."""

from datetime import date, timedelta

import pytest

from members.directory import contacts, operations, profile, queries
from members.directory.models import Contact, Correction, Member, MemberTag
from members.directory.profile import Profile
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events import relay
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.versions import ChangedMeanwhile
from payments.customers import operations as customers
from payments.customers.models import Customer
from security.audit.models import AuditRecord
from security.audit.operations import PLATFORM
from security.privacy import operations as consents
from security.vault.keys import Tampered
from tests.architecture.asking import as_owner
from tests.cast import NOW, origin_of
from tests.members.people import hand_of, join

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])

PHONE, EMAIL = "138 0013 8000", "Mei@Example.com"


def change(book, member, **said):
    with tenancy.within(book.pk):
        return profile.change(Profile(**said), member_id=member.pk, hand=hand_of(book))


def texts_of_everything():
    """All that the database stores in the tables that a member touches, as one text."""
    tables = ("members_contact", "members_member", "members_correction", "kernel_event", "security_auditrecord",
              "kernel_idempotencykey", "payments_customer")  # fmt: skip
    return " ".join(str(as_owner(f"SELECT to_jsonb(t) FROM {table} t")) for table in tables)


@pytest.mark.requirement("A17")
class TestContacts:
    def test_are_in_no_table_in_the_clear_and_open_again(self, book):
        member = join(book, name="Lin Mei", phone=PHONE, email=EMAIL)
        change(book, member, phone="139 0013 9000")
        change(book, member, phone=PHONE)

        kept = texts_of_everything()
        assert [
            each for each in ("13800138000", "138 0013 8000", "13900139000", "mei@example.com") if each in kept
        ] == []
        with tenancy.within(book.pk):
            assert queries.opened(member, hand=hand_of(book)) == {"phone": "+8613800138000", "email": "mei@example.com"}
            assert queries.about([member.pk])[member.pk].masks == {
                "phone": "+86*******8000",
                "email": "m***@example.com",
            }

    def test_do_not_open_in_another_row(self, book):
        one, other = join(book, name="A", phone=PHONE), join(book, name="B", phone="139 0013 9000")

        with tenancy.within(book.pk):
            taken = Contact.objects.get(member=one)
            Contact.objects.filter(member=other).update(ciphertext=taken.ciphertext)
            with pytest.raises(Tampered):
                queries.opened(other, hand=hand_of(book))

    def test_find_their_member_however_they_were_typed_and_in_no_other_book(self, book, other_book):
        member = join(book, name="Lin Mei", phone=PHONE)
        join(other_book, name="Another one", phone=PHONE)

        with tenancy.within(book.pk):
            value = contacts.read("phone", "+86 138-0013-8000", country="CN")
            assert queries.by_contact("phone", value, hand=hand_of(book)) == [member]
            digest = Contact.objects.get().digest
        with tenancy.within(other_book.pk):
            assert Contact.objects.get().digest != digest

    def test_of_a_customer_who_joins_are_the_customers_own(self, book, make_customer):
        customer = make_customer(book, name="Lin Mei", phone=PHONE, email="no address")

        with tenancy.within(book.pk):
            member = operations.enrol(customer_id=customer.pk, source="checkout", now=NOW, origin=origin_of(book))

            assert queries.opened(member, hand=hand_of(book)) == {"phone": "+8613800138000"}


class TestChange:
    @pytest.mark.requirement("A17")
    def test_keeps_what_was_before_and_tells_it_once(self, book):
        member = join(book, name="Lin Mei", phone=PHONE, tags=["regular"])

        change(book, member, name="Lin Xiaomei", phone="139 0013 9000", tags=["regular", "vip"], household="Lin")
        change(book, member, name="Lin Xiaomei", phone="139 0013 9000", tags=["vip", "regular"], household="Lin")

        with tenancy.within(book.pk):
            noted = Correction.objects.order_by("pk").values_list("field", "before", "after")
            assert list(noted) == [
                ("phone", "+86*******8000", "+86*******9000"),
                ("name", "Lin Mei", "Lin Xiaomei"),
                ("household", "", "Lin"),
                ("tags", "regular", "regular, vip"),
            ]
            assert Event.objects.filter(type="member.updated").count() == 2  # one told what joining added
            assert AuditRecord.objects.filter(action="member.edit").values_list("detail", flat=True).get() == {
                "fields": ["household", "name", "phone", "tags"]
            }

    def test_is_refused_where_somebody_else_changed_it_meanwhile(self, book):
        member = join(book, name="Lin Mei")
        with tenancy.within(book.pk):
            seen = profile.version(queries.find(member.pk))
        change(book, member, household="Lin")

        with tenancy.within(book.pk), pytest.raises(ChangedMeanwhile):
            profile.change(Profile(name="X"), member_id=member.pk, hand=hand_of(book), seen=seen)

    @pytest.mark.parametrize(
        "said",
        [
            {"phone": "12"},
            {"email": "nobody"},
            {"tags": ["a,b"]},
            {"tags": ["x" * 41]},
            {"name": "x" * 257},
            {"birthday": date(1899, 12, 31)},
            {"birthday": (NOW + timedelta(days=1)).date()},
        ],
    )
    def test_refuses_what_cannot_be_and_writes_nothing(self, book, said):
        member = join(book, name="Lin Mei")
        before = texts_of_everything()

        with pytest.raises(contacts.Invalid):
            change(book, member, household="Lin", **said)

        assert texts_of_everything() == before


class TestAdd:
    def test_refuses_a_contact_that_is_a_members_already(self, book):
        member = join(book, name="Lin Mei", phone=PHONE)

        with pytest.raises(profile.MemberExists) as refused:
            join(book, is_claim=False, name="Somebody", phone="+8613800138000")

        assert refused.value.member == member
        with tenancy.within(book.pk):
            assert (Member.objects.count(), Customer.objects.count()) == (1, 1)


@pytest.mark.requirement("A25")
class TestConsent:
    def test_is_needed_for_a_birthday(self, book):
        with pytest.raises(profile.ConsentMissing):
            join(book, name="Lin Mei", birthday=date(1990, 5, 4))

        with tenancy.within(book.pk):
            assert (Member.objects.count(), Customer.objects.count()) == (0, 0)

    def test_withdrawn_takes_the_birthday_along_and_what_was_corrected(self, book):
        member = join(book, name="Lin Mei", birthday=date(1990, 5, 4), consents=["personalisation"])
        change(book, member, birthday=date(1991, 5, 4))

        with tenancy.within(book.pk):
            consents.withdraw(
                customer_id=member.customer_id, purpose="personalisation", source="wallet", now=NOW, actor=PLATFORM
            )
        while relay.run_once(now=NOW + timedelta(days=9_999)):
            pass

        with tenancy.within(book.pk):
            assert Member.objects.get().birthday is None
            assert list(Correction.objects.values_list("field", "before", "after")) == [("birthday", "", "")]

    def test_is_not_there_any_more_when_the_customer_is_deleted(self, book):
        member = join(book, name="Lin Mei", phone=PHONE, tags=["vip"], household="Lin")

        with tenancy.within(book.pk):
            customers.delete(customer_id=member.customer_id, now=NOW, origin=origin_of(book))
        while relay.run_once(now=NOW + timedelta(days=9_999)):
            pass

        with tenancy.within(book.pk):
            left = Member.objects.get()
            assert (left.status, left.household_id, left.left_at) == ("left", None, NOW)
            assert (Contact.objects.count(), MemberTag.objects.count()) == (0, 0)
