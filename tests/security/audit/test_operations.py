from uuid import UUID

import pytest
from django.db import DatabaseError, connections, transaction

from merchant_platform.kernel import ids
from security.audit import operations as audit
from security.audit import queries
from security.audit.models import AuditLink, AuditRecord
from tests.architecture.asking import ask
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])

ACTOR = audit.Actor.staff(ids.new(NOW), ip="203.0.113.9")


def write(merchant, action="payment.refund", **fields):
    with transaction.atomic():
        return audit.record(actor=ACTOR, action=action, merchant_id=merchant and merchant.pk, book_id=None, **fields)


def as_owner(statement, parameters=()):
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement, parameters)


class TestRecord:
    @pytest.mark.requirement("A60")
    def test_writes_who_did_what_and_where_from(self, merchant, book):
        with transaction.atomic():
            identifier = audit.record(
                actor=ACTOR,
                action="payment.refund",
                object_id="pi_1",
                detail={"amount_minor": 1200},
                merchant_id=merchant.pk,
                book_id=book.pk,
            )

        record = AuditRecord.objects.get(pk=identifier)
        assert (record.actor_kind, record.actor_id, record.ip) == ("staff", ACTOR.id, "203.0.113.9")
        assert (record.action, record.object_id, record.detail) == ("payment.refund", "pi_1", {"amount_minor": 1200})
        assert (record.merchant_id, record.book_id) == (merchant.pk, book.pk)

    def test_goes_with_its_deed_where_that_is_taken_back(self, merchant):
        with transaction.atomic():
            audit.record(actor=ACTOR, action="key.reveal", merchant_id=merchant.pk, book_id=None)
            transaction.set_rollback(True)

        assert (AuditRecord.objects.count(), AuditLink.objects.count()) == (0, 0)

    def test_refuses_to_stand_alone(self, merchant):
        with pytest.raises(audit.OutsideTransaction):
            audit.record(actor=ACTOR, action="key.reveal", merchant_id=merchant.pk, book_id=None)


class TestChain:
    def test_numbers_each_merchants_records_by_themselves(self, merchant, other_merchant):
        first, foreign, second, platform = write(merchant), write(other_merchant), write(merchant), write(None)

        places = {link.record_id: (link.chain_id, link.number) for link in AuditLink.objects.all()}
        assert places == {
            first: (merchant.pk, 1),
            second: (merchant.pk, 2),
            foreign: (other_merchant.pk, 1),
            platform: (UUID(int=0), 1),
        }
        assert queries.verify() == []

    def test_has_no_gap_and_no_fork_where_many_commit_at_once(self, merchant):
        outcomes = race(*[lambda: write(merchant) for _ in range(8)])

        assert sorted(AuditLink.objects.values_list("number", flat=True)) == list(range(1, 9))
        assert len(set(outcomes)) == 8
        assert queries.verify() == []

    def test_is_not_written_by_who_writes_records(self, merchant):
        write(merchant)

        for alias in ("default", "platform"):
            for statement in ("DELETE FROM security_auditlink", "UPDATE security_auditchain SET number = 0"):
                with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(using=alias):
                    connections[alias].cursor().execute(statement)


class TestVerify:
    def test_finds_a_changed_record(self, merchant):
        write(merchant)
        second = write(merchant, detail={"amount_minor": 100})
        write(merchant)

        as_owner("UPDATE security_auditrecord SET detail = '{\"amount_minor\": 1}' WHERE id = %s", [second])

        assert queries.verify() == [queries.Difference(merchant.pk, 2, "the record is not what was recorded")]

    def test_finds_a_removed_record(self, merchant):
        write(merchant)
        second = write(merchant)
        write(merchant)

        as_owner("DELETE FROM security_auditlink WHERE record_id = %s", [second])
        as_owner("DELETE FROM security_auditrecord WHERE id = %s", [second])

        whats = {(difference.number, difference.what) for difference in queries.verify()}
        assert whats == {(3, "a link is missing before this one"), (3, "the record is not what was recorded")}

    def test_finds_a_record_that_hangs_on_no_chain(self, merchant):
        only = write(merchant)

        as_owner("DELETE FROM security_auditlink WHERE record_id = %s", [only])

        assert [difference.what for difference in queries.verify()] == [
            f"a record hangs on no chain: {only}",
            "the chain does not end where it should",
        ]

    def test_finds_a_rewritten_chain_by_a_head_that_was_kept_elsewhere(self, merchant):
        write(merchant)
        kept = queries.heads()
        # Somebody with the owner's rights writes the whole chain anew, consistently.
        as_owner("ALTER TABLE security_auditrecord DISABLE TRIGGER USER")
        as_owner("UPDATE security_auditrecord SET action = 'payment.view'")
        as_owner(
            "UPDATE security_auditlink l SET hash = sha256(convert_to(audit_text_v1(r), 'UTF8')) "
            "FROM security_auditrecord r WHERE r.id = l.record_id"
        )
        as_owner("UPDATE security_auditchain SET hash = (SELECT hash FROM security_auditlink)")
        as_owner("ALTER TABLE security_auditrecord ENABLE TRIGGER USER")

        assert queries.verify() == []
        assert [difference.what for difference in queries.verify(heads=tuple(kept))] == [
            "the link differs from the head that was kept"
        ]

    def test_takes_the_same_text_whatever_the_sessions_time_zone(self, merchant):
        write(merchant)

        [[there]] = ask("owner", "SELECT audit_text_v1(r) FROM security_auditrecord r")
        as_owner("SET TIME ZONE 'Asia/Shanghai'")
        [[here]] = ask("owner", "SELECT audit_text_v1(r) FROM security_auditrecord r")
        as_owner("SET TIME ZONE 'UTC'")

        assert there == here
