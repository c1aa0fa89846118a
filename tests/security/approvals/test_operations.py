"""Two people for one act: one asks, another decides, and what is allowed is done once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import Conflict, WrongState
from merchant_platform.kernel.events.models import Event
from security.approvals import operations as approvals
from security.approvals.models import Approval
from security.approvals.states import APPROVED, DONE, EXPIRED, FAILED, REFUSED, REQUESTED
from security.audit import operations as audit
from security.audit.models import AuditRecord
from security.merchants.models import Staff
from tests.cast import NOW, race
from tests.staff import make_staff

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform"]),
    pytest.mark.requirement("A41"),
]

FACTS = {"amount_minor": 250_000, "currency": "cny", "payee": "Lin"}


@pytest.fixture
def asker(merchant):
    return make_staff(merchant, "support")


@pytest.fixture
def decider(merchant):
    return make_staff(merchant, "manager")


@pytest.fixture
def ask(book, asker):
    def request(object_id="pi_1", staff=asker):
        with tenancy.within(book.pk):
            return approvals.request(
                book_id=book.pk,
                staff=staff,
                action="payment.refund",
                object_id=object_id,
                what="Refund ¥2,500.00",
                facts=FACTS,
                reason="broken on arrival",
                now=NOW,
                actor=audit.Actor.staff(staff.pk),
            )

    return request


@pytest.fixture
def decide(book):
    def run(verb, approval, staff, now=NOW):
        with tenancy.within(book.pk):
            verb(approval=approval, staff=staff, now=now, actor=audit.Actor.staff(staff.pk))

    return run


def told(book):
    with tenancy.within(book.pk):
        return list(Event.objects.filter(book_id=book.pk).order_by("pk").values_list("type", flat=True))


def status_of(book, approval):
    with tenancy.within(book.pk):
        return Approval.objects.get(pk=approval.pk).status


class TestRequest:
    def test_waits_tells_and_is_recorded(self, book, ask):
        approval = ask()

        assert (approval.status, approval.facts, approval.expires_at) == (REQUESTED, FACTS, NOW + timedelta(days=3))
        assert told(book) == ["approval.requested"]
        assert AuditRecord.objects.get().action == "approval.requested"

    def test_is_refused_while_the_same_act_waits(self, book, ask):
        ask()

        with pytest.raises(approvals.AlreadyAsked):
            ask()

        assert told(book) == ["approval.requested"]
        assert ask("pi_2").object_id == "pi_2"

    def test_is_made_once_by_two_who_ask_at_the_same_moment(self, book, ask):
        outcomes = race(ask, ask)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyAsked", "Approval"]
        assert told(book) == ["approval.requested"]


class TestApprove:
    def test_moves_tells_and_is_recorded(self, book, ask, decide, decider):
        approval = ask()

        decide(approvals.approve, approval, decider)

        with tenancy.within(book.pk):
            found = Approval.objects.get(pk=approval.pk)
        assert (found.status, found.decided_by_id, found.decided_at) == (APPROVED, decider.pk, NOW)
        assert told(book) == ["approval.requested", "approval.approved"]
        assert AuditRecord.objects.latest("pk").actor_id == decider.pk

    def test_is_never_ones_own(self, book, ask, decide, decider):
        approval = ask(staff=decider)

        with pytest.raises(approvals.OwnRequest):
            decide(approvals.approve, approval, decider)

        assert status_of(book, approval) == REQUESTED
        with pytest.raises(IntegrityError), tenancy.within(book.pk), transaction.atomic():
            Approval.objects.filter(pk=approval.pk).update(decided_by=decider, status=APPROVED)

    @pytest.mark.parametrize("role", ["cashier", "analyst", "developer"])
    def test_is_not_for_who_may_not_decide(self, role, book, ask, decide, merchant):
        approval = ask()

        with pytest.raises(approvals.MayNotDecide):
            decide(approvals.approve, approval, make_staff(merchant, role))

        assert status_of(book, approval) == REQUESTED

    def test_comes_too_late_after_three_days(self, book, ask, decide, decider):
        approval = ask()

        with pytest.raises(approvals.TooLate):
            decide(approvals.approve, approval, decider, now=NOW + timedelta(days=3))

        assert status_of(book, approval) == REQUESTED

    def test_is_decided_by_one_of_two_at_the_same_moment(self, book, ask, decide, decider, merchant):
        approval = ask()
        boss = make_staff(merchant, "owner")
        with tenancy.within(book.pk):
            copies = [Approval.objects.get(pk=approval.pk) for _ in range(2)]

        outcomes = race(
            lambda: decide(approvals.approve, copies[0], decider), lambda: decide(approvals.refuse, copies[1], boss)
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
        assert len(told(book)) == 2

    def test_is_refused_after_a_decision(self, book, ask, decide, decider):
        approval = ask()
        decide(approvals.refuse, approval, decider)

        with pytest.raises(WrongState):
            decide(approvals.approve, approval, decider)

        assert status_of(book, approval) == REFUSED


class Gate:
    """A deed that keeps what it was asked to do; what it says is set by the test."""

    done: list = []
    says: Exception | None = None

    @classmethod
    def do(cls, approval):
        if cls.says is not None:
            raise cls.says
        cls.done.append(approval.pk)
        return "re_1"

    @staticmethod
    def why(code):
        return f"Because of {code}"


class TestCarryOut:
    @pytest.fixture(autouse=True)
    def gate(self, settings):
        settings.APPROVAL_DEEDS = {"payment.refund": f"{__name__}.Gate"}
        Gate.done, Gate.says = [], None

    def run(self, book, approval):
        return approvals.carry_out(book_id=book.pk, approval_id=approval.pk)

    def test_notes_once_what_was_done(self, book, ask, decide, decider):
        approval = ask()
        assert self.run(book, approval).status == REQUESTED
        decide(approvals.approve, approval, decider)

        outcomes = race(*[lambda: self.run(book, approval)] * 2)

        assert [(each.status, each.outcome) for each in outcomes] == [(DONE, "re_1")] * 2
        assert told(book).count("approval.done") == 1
        self.run(book, approval)
        assert len(Gate.done) <= 2  # the deed's own key makes one of them

    def test_tries_again_what_is_in_somebodys_way_and_ends_what_cannot_be(self, book, ask, decide, decider):
        approval = ask()
        decide(approvals.approve, approval, decider)

        Gate.says = Conflict("busy")
        assert self.run(book, approval).status == APPROVED
        Gate.says = WrongState("too late")
        assert approvals.carry_out_due() == 1

        assert status_of(book, approval) == FAILED
        assert approvals.carry_out_due() == 0
        Gate.says = None
        assert (self.run(book, approval).status, Gate.done) == (FAILED, [])

    def test_is_stopped_for_others_by_none(self, book, ask, decide, decider):
        for name in ("pi_1", "pi_2"):
            decide(approvals.approve, ask(name), decider)
        Gate.says = RuntimeError("broken")

        assert approvals.carry_out_due() == 2

    def test_is_not_allowed_to_who_may_not_any_more(self, book, ask, asker, decide, decider):
        approval = ask()
        Staff.objects.filter(pk=asker.pk).update(role="cashier")

        with pytest.raises(approvals.AskerGone):
            decide(approvals.approve, approval, decider)

        assert status_of(book, approval) == REQUESTED


class TestExpireDue:
    def test_ends_what_nobody_decided(self, book, ask):
        approval, young = ask(), ask("pi_2")
        with tenancy.within(book.pk):
            Approval.objects.filter(pk=young.pk).update(expires_at=NOW + timedelta(days=4))

        assert approvals.expire_due(now=NOW + timedelta(days=3)) == 1

        assert (status_of(book, approval), status_of(book, young)) == (EXPIRED, REQUESTED)
        assert told(book)[-1] == "approval.expired"
        assert approvals.expire_due(now=NOW + timedelta(days=3)) == 0
