"""The doors of reports: pages, the API, and links that are one's own and over soon."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.reports import links, operations, working
from analytics.reports.models import Report, ReportSchedule
from merchant_platform.kernel import clock
from security.audit.models import AuditRecord
from security.credentials import keys
from security.credentials.models import ApiKey
from tests.analytics.reports.asking import FIRST, LAST, again
from tests.cast import Api
from tests.desks import Door
from tests.staff import make_staff, sign_in, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

REPORTS = "/dashboard/cafe/test/reports"
WANTED = {"report_type": "sales", "since": str(FIRST), "until": str(LAST), "format": "csv"}
FORM = {"kind": "sales", "since": str(FIRST), "until": str(LAST), "format": "csv", "language": "en"}


@pytest.fixture
def door(owner):
    return Door(signed_in(owner, HTTP_ACCEPT_LANGUAGE="en"))


def downloads():
    return AuditRecord.objects.filter(action="report.download").count()


class TestPages:
    def test_asks_watches_and_takes_away(self, door, sold):
        form = {**door.fields(f"{REPORTS}/new"), **FORM}
        page = door.client.post(f"{REPORTS}/new", form)
        assert door.client.post(f"{REPORTS}/new", form).url == page.url, "sent twice, it is one report"
        assert 'hx-trigger="every 1s"' in door.get(page.url).content.decode()
        assert working.run_due() == 1

        fragment = door.get(page.url, headers={"HX-Request": "true"}).content.decode()
        link = door.get(f"{page.url}/file")
        file = door.get(link.url.removeprefix("http://localhost:8000"))

        assert "<html" not in fragment
        assert "hx-trigger" not in fragment
        assert file["Content-Disposition"] == f'attachment; filename="sales-{FIRST}-{LAST}.csv"'
        assert b"Gross sales,120.00" in b"".join(file.streaming_content)
        assert downloads() == 1

    def test_cancels_makes_again_and_deletes(self, door, ask, folder):
        report = ask("sales", is_made=False)
        page = f"{REPORTS}/{links.ids.show('rpt', report.pk)}"

        door.send(f"{page}/act", page=page, act="cancel")
        assert again(report).status == "canceled"
        assert door.send(f"{page}/act", page=page, act="cancel").status_code == 303
        door.send(f"{page}/act", page=page, act="again")
        assert working.run_due() == 1
        assert door.send(f"{page}/act", page=page, act="nonsense").status_code == 404
        door.send(f"{page}/act", page=page, act="remove")

        assert Report.objects.using("platform").count() == 0
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_lists_ones_own_in_a_fixed_number_of_statements(self, door, ask, merchant):
        reports = [ask(kind, is_made=False) for kind in ("sales", "tax", "books")]
        with CaptureQueriesContext(connections["default"]) as captured:
            text = door.text(REPORTS)

        assert sum("SELECT" in each["sql"] for each in captured) == 5
        assert all(title in text for title in ("Sales report", "Tax report", "Books report"))
        assert "No report fits" in door.text(f"{REPORTS}?status=failed")
        other = Door(signed_in(make_staff(merchant, "manager"), HTTP_ACCEPT_LANGUAGE="en"))
        assert "No reports yet" in other.text(REPORTS)
        assert other.get(f"{REPORTS}/{links.ids.show('rpt', reports[0].pk)}").status_code == 404

    @pytest.mark.parametrize(
        "wrong",
        [
            {"since": "2026-03-03", "until": "2026-03-04"},
            {"since": "2026-03-02", "until": "2026-03-01"},
            {"since": "2024-03-02"},
            {"since": "0001-01-01"},
            {"since": "nonsense"},
            {"kind": "nonsense"},
            {"format": "exe"},
            {"language": "fr"},
        ],
    )
    def test_refuses_what_cannot_be(self, door, book, wrong):
        assert door.send(f"{REPORTS}/new", **{**FORM, **wrong}).status_code == 200
        assert Report.objects.using("platform").count() == 0

    def test_keeps_a_schedule(self, door, owner):
        given = {**FORM, "frequency": "weekly", "weekday": "1", "monthday": "1", "hour": "8"}
        shown = links.ids.show("stf", owner.pk)
        sent = door.send(f"{REPORTS}/schedules/new", **given, recipients=[shown])
        assert sent.status_code == 303
        assert "Every week · Monday · 08:00" in door.text(f"{REPORTS}/schedules")
        row = ReportSchedule.objects.using("platform").get()
        act = f"{REPORTS}/schedules/{links.ids.show('rsch', row.pk)}/act"

        for deed, status in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
            door.send(act, page=f"{REPORTS}/schedules", act=deed)
            assert ReportSchedule.objects.using("platform").get().status == status
        assert "No schedules yet" in door.text(f"{REPORTS}/schedules")
        assert door.send(f"{REPORTS}/schedules/new", **given, recipients=["stf_x"]).status_code == 200


class TestLinks:
    @pytest.fixture
    def made(self, ask, sold):
        return ask("sales")

    def link(self, report, **holder):
        now = clock.wall()
        return links.address(report, at=now, until=now + links.SHORT, **holder).removeprefix("http://localhost:8000")

    def test_opens_for_its_person_alone(self, made, owner, merchant):
        link = self.link(made, staff_id=owner.pk)

        assert signed_in(make_staff(merchant, "manager")).get(link).status_code == 404
        assert Client().get(link).status_code == 302
        # Past the password alone, and in one's own wallet, one is not at work.
        weak, private = sign_in(owner.user, factor=None), signed_in(owner)
        in_wallet = private.session
        in_wallet["side"] = "wallet"
        in_wallet.save()
        assert [each.get(link).status_code for each in (weak, private)] == [302, 302]
        assert downloads() == 0
        assert signed_in(owner).get(link).status_code == 200
        assert downloads() == 1

    def test_is_over_soon_and_cannot_be_altered(self, made, owner):
        link, browser = self.link(made, staff_id=owner.pk), signed_in(owner)
        token = link.rpartition("/")[2]
        altered = re.sub(r".$", lambda found: "A" if found[0] != "A" else "B", token)

        assert browser.get(f"/reports/{altered}").status_code == 404
        assert browser.get("/reports/nonsense").status_code == 404
        with time_machine.travel(clock.wall() + links.SHORT + timedelta(seconds=1)):
            assert signed_in(owner).get(link).status_code == 404
        assert downloads() == 0

    def test_opens_no_more_once_its_person_left_or_may_no_more(self, made, owner):
        link, browser = self.link(made, staff_id=owner.pk), signed_in(owner)
        type(owner).objects.filter(pk=owner.pk).update(role="cashier")
        assert browser.get(link).status_code == 404

    def test_a_keys_link_ends_with_the_key(self, made, key, book):
        row = ApiKey.objects.filter(book=book, kind="secret").latest("pk")
        link = self.link(made, key_id=row.pk)

        assert Client().get(link).status_code == 200
        keys.revoke(key=row, now=clock.wall())
        assert Client().get(link).status_code == 404


class TestApi:
    def test_asks_and_gives_a_link(self, api, sold):
        asked = api.post("reports", WANTED, idempotency_key="daily")
        assert asked.status == 200, asked.json
        assert (asked.json["object"], asked.json["status"], asked.json["result"]) == ("report", "queued", None)
        assert api.post("reports", WANTED, idempotency_key="daily").json["id"] == asked.json["id"]
        assert working.run_due() == 1

        report = api.get(f"reports/{asked.json['id']}").json

        assert (report["status"], report["progress"], report["error"]) == ("succeeded", 100, None)
        assert report["parameters"]["interval_end"] - report["parameters"]["interval_start"] == 11 * 86_400
        file = Client().get(report["result"]["url"].removeprefix("http://localhost:8000"))
        assert len(b"".join(file.streaming_content)) == report["result"]["size"]
        assert [each["id"] for each in api.get("reports", {"status": "succeeded"}).json["data"]] == [report["id"]]

    def test_cancels_what_waits(self, api, book):
        report = api.post("reports", WANTED).json

        assert api.post(f"reports/{report['id']}/cancel").json["status"] == "canceled"
        assert api.post(f"reports/{report['id']}/cancel").status == 400
        assert working.run_due() == 0

    def test_retries_and_deletes(self, api, sold, folder):
        report = api.post("reports", WANTED).json
        address = f"reports/{report['id']}"
        assert api.post(f"{address}/retry").status == 400, "it waits already"
        api.post(f"{address}/cancel")

        assert api.post(f"{address}/retry").json["status"] == "queued"
        assert working.run_due() == 1
        assert api.get(address).json["status"] == "succeeded"
        assert api.post(f"{address}/retry").status == 400, "its file is there"

        assert api.delete(address).json == {"id": report["id"], "object": "report", "deleted": True}
        assert api.delete(address).status == 404
        assert api.get(address).status == 404
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_retries_no_more_than_may_wait(self, api, key, book):
        canceled = api.post("reports", WANTED).json
        api.post(f"reports/{canceled['id']}/cancel")
        for _ in range(operations.UNFINISHED_MAX):
            assert api.post("reports", WANTED).status == 200

        assert api.post(f"reports/{canceled['id']}/retry").status == 429

    def test_a_report_of_staff_is_none_of_its(self, api, ask):
        report = ask("sales", is_made=False)

        address = f"reports/{links.ids.show('rpt', report.pk)}"
        assert api.get(address).status == 404
        assert api.post(f"{address}/retry").status == api.delete(address).status == 404
        assert api.get("reports").json["data"] == []

    def test_a_restricted_key_needs_the_right_to_the_numbers(self, restricted_key, book):
        books = {**WANTED, "report_type": "books"}
        alone = Api(restricted_key(reports="write", metrics="read"))

        assert alone.post("reports", WANTED).status == 200
        assert alone.post("reports", books).status == 403
        assert Api(restricted_key(reports="write", balance="read")).post("reports", books).status == 200
        assert Api(restricted_key(metrics="read")).get("reports").status == 403
        theirs = Api(restricted_key(reports="write", balance="read")).post("reports", books).json["id"]
        assert alone.post(f"reports/{theirs}/retry").status == 403
        assert Api(restricted_key(reports="read")).delete(f"reports/{theirs}").status == 403

    def test_a_restricted_key_has_no_file_of_numbers_that_it_may_not_read(self, api, restricted_key):
        books = api.post("reports", {**WANTED, "report_type": "books"}).json["id"]
        sales = api.post("reports", WANTED).json["id"]
        alone = Api(restricted_key(reports="write", metrics="read"))

        refused = [alone.get(f"reports/{books}").status, alone.post(f"reports/{books}/cancel").status]

        assert refused == [403, 403]
        assert [each["id"] for each in alone.get("reports").json["data"]] == [sales]
        assert api.get(f"reports/{books}").json["status"] == "queued"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"since": "2026-02-30"},
            {"since": "2026-03-02", "until": "2026-03-01"},
            {"until": "2026-03-03"},
            {"since": "2024-01-01"},
            {"report_type": "nonsense"},
            {"format": "exe"},
        ],
    )
    def test_refuses_what_cannot_be(self, api, wrong):
        reply = api.post("reports", {**WANTED, **wrong})

        assert (reply.status, reply.error["type"]) == (400, "invalid_request_error")
        assert Report.objects.using("platform").count() == 0
