"""The audit page: for the owner, of one merchant, in few statements; its export is confirmed, recorded and harmless."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from merchant_platform.kernel import clock
from security.audit import operations as audit
from security.audit.models import AuditRecord
from security.authentication import codes, operations
from tests.cast import shown
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"]),
    pytest.mark.requirement("A41"),
]

HERE = "/dashboard/cafe/test/audit"
STATEMENTS_MAX = 10


@pytest.fixture
def owner(merchant):
    return make_staff(merchant)


@pytest.fixture
def write(merchant, book):
    def record(actor, action, *, of=merchant, in_book=book, **fields):
        with transaction.atomic():
            return audit.record(actor=actor, action=action, merchant_id=of.pk, book_id=in_book and in_book.pk, **fields)

    return record


def lines_of(reply):
    return [(line.record.action, line.actor, line.record.object_id) for line in reply.context["lines"]]


class TestList:
    def test_shows_the_merchants_records_of_this_mode_newest_first(
        self, owner, write, other_merchant, live_book, django_assert_max_num_queries
    ):
        me = audit.Actor.staff(owner.pk, ip="203.0.113.9")
        write(me, "payment.refund", object_id="pi_1")
        write(audit.PLATFORM, "approval.expired")
        write(me, "key.revoke", in_book=live_book)
        write(me, "staff.manage", in_book=None)
        write(me, "payment.refund", of=other_merchant, in_book=None)
        client = signed_in(owner)

        with django_assert_max_num_queries(STATEMENTS_MAX):
            reply = client.get(HERE)

        assert lines_of(reply) == [
            ("staff.manage", "Owner", ""),
            ("approval.expired", "Platform", ""),
            ("payment.refund", "Owner", "pi_1"),
        ]
        assert "203.0.113.9" in reply.content.decode()

    def test_is_narrowed_by_action_person_object_and_day(self, owner, write, merchant):
        manager = make_staff(merchant, "manager")
        write(audit.Actor.staff(owner.pk), "payment.refund", object_id="pi_1")
        write(audit.Actor.staff(manager.pk), "key.revoke", object_id="key_1")
        client = signed_in(owner)
        today = clock.wall().astimezone(merchant.zone).date()

        def found(**asked):
            return [action for action, _, _ in lines_of(client.get(HERE, asked))]

        assert found(action="key.revoke") == ["key.revoke"]
        assert found(actor=shown("stf", owner)) == ["payment.refund"]
        assert found(object="key_1") == ["key.revoke"]
        assert found(object="pi_1", action="key.revoke") == []
        assert len(found(since=str(today), until=str(today))) == 2
        assert found(since=str(today + timedelta(days=1))) == []
        assert found(until=str(today - timedelta(days=1))) == []

    def test_is_read_in_pages(self, owner, write):
        for number in range(51):
            write(audit.PLATFORM, "books.prove", object_id=str(number))
        client = signed_in(owner)

        first = client.get(HERE)
        second = client.get(first.context["ways"].older)

        assert [len(lines_of(first)), len(lines_of(second))] == [50, 1]
        assert lines_of(second)[0][2] == "0"

    @pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
    def test_is_the_owners(self, role, merchant):
        client = signed_in(make_staff(merchant, role))

        assert [client.get(f"{HERE}{rest}").status_code for rest in ("", "/export")] == [403, 403]

    @pytest.mark.parametrize(
        "query",
        "since=x since=99999-01-01 until=0001-01-01 until=2026-02-30 before=x actor=%00 action=%00 object=%00".split(),
    )
    def test_takes_any_question(self, owner, query):
        assert signed_in(owner).get(f"{HERE}?{query}").status_code == 200


class TestExport:
    def test_is_confirmed_recorded_and_runs_no_formula(self, owner, write):
        seed = operations.give_app(user=owner.user)
        write(audit.Actor.staff(owner.pk), "payment.refund", object_id="=1+1")
        client = signed_in(owner)
        asked = client.get(f"{HERE}/export?action=payment.refund")
        client.post(asked["Location"], {"code": codes.code_at(seed, codes.step_at(clock.wall()))})

        reply = client.post(f"{HERE}/export?action=payment.refund")

        rows = list(csv.reader(io.StringIO(b"".join(reply.streaming_content).decode("utf-8-sig"))))
        assert [row[7:9] for row in rows] == [["action", "object"], ["payment.refund", "'=1+1"]]
        assert rows[1][4:6] == ["Owner", shown("stf", owner)]
        record = AuditRecord.objects.latest("pk")
        assert (record.action, record.detail) == ("audit.export", {"action": "payment.refund"})

    def test_takes_a_proof_for_what_was_asked_alone(self, owner, write):
        seed = operations.give_app(user=owner.user)
        client = signed_in(owner)
        asked = client.get(f"{HERE}/export?action=payment.refund")
        client.post(asked["Location"], {"code": codes.code_at(seed, codes.step_at(clock.wall()))})

        reply = client.post(f"{HERE}/export")

        assert (reply.status_code, reply["Location"].startswith("/accounts/confirm/")) == (302, True)
        assert not AuditRecord.objects.filter(action="audit.export").exists()


class TestCommand:
    def test_says_whether_the_log_is_what_was_recorded(self, owner, write, tmp_path, capsys):
        write(audit.PLATFORM, "books.prove")
        call_command("audit", "heads")
        kept = tmp_path / "heads.json"
        kept.write_text(capsys.readouterr().out)

        call_command("audit", "verify", heads=kept)
        assert "1 records in 1 chains are as recorded" in capsys.readouterr().out

        with connections["owner"].cursor() as cursor:
            cursor.execute("UPDATE security_auditrecord SET action = 'payment.view'")
        with pytest.raises(CommandError, match="1 differences"):
            call_command("audit", "verify")
