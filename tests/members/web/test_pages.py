"""The dashboard's pages of members: what they show, what they do, and who may."""

import re

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.directory.models import Duplicate, Member, Merge
from members.importing import operations as imports
from members.importing.models import ImportRow
from members.web import joining
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.clock import wall
from security.audit.models import AuditRecord
from security.merchants.models import PublicCode
from tests.cast import shown
from tests.members.people import join
from tests.staff import make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
BASE = "/dashboard/cafe/test/members"


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


def once(page):
    return re.search(r'name="once" value="([^"]+)"', page.content.decode())[1]


def send(client, path, **fields):
    page = client.get(path)
    token = {"once": once(page)}
    seen = re.search(r'name="seen" value="([^"]+)"', page.content.decode())
    return client.post(path, {**token, **({"seen": seen[1]} if seen else {}), **fields})


class TestList:
    def test_finds_by_each_thing_that_people_say(self, owner, book):
        member = join(book, name="Lin Mei", phone="138 0013 8000", email="mei@example.com", tags=["vip"])
        join(book, name="Zhou Zimo")

        asked = ["q=lin", "q=13800138000", "q=8000", "q=MEI@example.com", f"q={member.number}", "tag=vip",
                 f"q={shown('mem', member)}"]  # fmt: skip
        for query in asked:
            text = owner.get(f"{BASE}?{query}").content.decode()
            assert ("Lin Mei" in text, "Zhou Zimo" in text) == (True, False), query
        assert "13800138000" not in owner.get(BASE).content.decode()

    def test_asks_as_much_for_many_as_for_few(self, owner, book):
        counts = []
        for _ in range(2):
            for n in range(3):
                join(book, name=f"N{n}", tags=["vip"])
            with CaptureQueriesContext(connections["default"]) as asked:
                assert owner.get(BASE).status_code == 200
            counts.append(len(asked))

        assert counts == [14, 14]

    def test_leaves_as_a_file_after_a_factor_and_a_note(self, owner, book):
        join(book, name="=1+1", phone="138 0013 8000")

        page = owner.get(f"{BASE}/export")
        assert page.status_code == 302  # to show a factor first
        assert owner.post(f"{BASE}/export").status_code == 302
        with tenancy.within(book.pk):
            assert AuditRecord.objects.filter(action="member.export").count() == 0


class TestProfile:
    @pytest.mark.requirement("A47")
    def test_shows_no_figures_without_a_profile_allowed(self, owner, book):
        silent, open_ = join(book, name="Silent"), join(book, name="Open", consents=["profile"])

        words = "has not allowed a profile"
        assert words in owner.get(f"{BASE}/{shown('mem', silent)}").content.decode()
        assert words not in owner.get(f"{BASE}/{shown('mem', open_)}").content.decode()

    def test_is_added_once_and_changed_with_what_was_seen(self, owner, book):
        page = owner.get(f"{BASE}/new")
        fields = {"once": once(page), "name": "Lin Mei", "phone": "138 0013 8000", "tags": "vip, regular"}
        first, again = owner.post(f"{BASE}/new", fields), owner.post(f"{BASE}/new", fields)
        assert (first.status_code, first["Location"]) == (303, again["Location"])
        with tenancy.within(book.pk):
            member = Member.objects.get()
        address = f"{BASE}/{shown('mem', member)}"

        old = owner.get(f"{address}/edit")
        assert "+8613800138000" in old.content.decode()
        assert send(owner, f"{address}/edit", name="Lin Xiaomei").status_code == 303
        seen = re.search(r'name="seen" value="([^"]+)"', old.content.decode())[1]
        late = owner.post(f"{address}/edit", {"once": once(old), "seen": seen, "name": "Late"})

        assert late.status_code == 200
        assert "Somebody changed this meanwhile" in late.content.decode()
        text = owner.get(address).content.decode()
        assert "Lin Xiaomei" in text
        assert "Corrected" in text
        with tenancy.within(book.pk):
            assert AuditRecord.objects.filter(action="member.contacts").count() == 2

    def test_leads_to_who_has_the_contact_already(self, owner, book):
        member = join(book, name="Lin Mei", phone="138 0013 8000")

        reply = send(owner, f"{BASE}/new", name="X", phone="13800138000")

        assert reply.status_code == 200
        assert f"{BASE}/{shown('mem', member)}" in reply.content.decode()

    @pytest.mark.parametrize("fields", [{"phone": "12"}, {"email": "x"}, {"birthday": "1990-05-04"}, {}])
    def test_is_refused_at_the_field_and_nothing_is_written(self, owner, book, fields):
        reply = send(owner, f"{BASE}/new", name="" if not fields else "Lin", **fields)

        assert reply.status_code == 200
        assert "field-error" in reply.content.decode()
        with tenancy.within(book.pk):
            assert Member.objects.count() == 0

    def test_timeline_goes_on_where_it_stopped(self, owner, book, api):
        member = join(book, name="Lin Mei")
        for n in range(25):
            api.post(f"members/{shown('mem', member)}", {"household": f"H{n}"})
        address = f"{BASE}/{shown('mem', member)}"

        first = owner.get(address).content.decode()
        older = re.search(r'hx-get="(\?before=[^"]+)"', first)[1]
        rest = owner.get(address + older, HTTP_HX_REQUEST="true").content.decode()

        told = re.findall(r"→ (H\d+)", first) + re.findall(r"→ (H\d+)", rest)
        assert told == [f"H{n}" for n in reversed(range(25))]
        assert "Joined" in rest


class TestMerging:
    @pytest.mark.requirement("A17")
    def test_goes_from_the_pair_to_one_member_and_back(self, owner, book):
        elder = join(book, name="Lin Mei", phone="138 0013 8000")
        younger = join(book, name="Lin M", phone="138 0013 8000")
        pair = owner.get(f"{BASE}/duplicates").content.decode()
        link = re.search(r'href="([^"]+/merge\?into=[^"]+)"', pair)[1]

        done = send(owner, link)
        assert done["Location"] == f"{BASE}/{shown('mem', elder)}"
        with tenancy.within(book.pk):
            assert Member.objects.get(pk=younger.pk).merged_into_id == elder.pk
            merged = Merge.objects.get()
        back = send(owner, f"{BASE}/merges/{ids.show('mrg', merged.pk)}/undo")
        assert back["Location"] == f"{BASE}/{shown('mem', younger)}"
        with tenancy.within(book.pk):
            duplicate = Duplicate.objects.get(closed_at=None)
        page = owner.get(f"{BASE}/duplicates")
        owner.post(f"{BASE}/duplicates/{ids.show('dup', duplicate.pk)}", {"once": once(page)})
        with tenancy.within(book.pk):
            assert Duplicate.objects.filter(closed_at=None).count() == 0


class TestImport:
    def test_is_looked_at_agreed_to_and_watched(self, owner, book):
        page = owner.get(f"{BASE}/import")
        sheet = SimpleUploadedFile("m.csv", "name,phone\nLin Mei,13800138000\nBad,12\n".encode("gb18030"))
        planned = owner.post(f"{BASE}/import", {"once": once(page), "file": sheet})
        assert planned.status_code == 303
        job = planned["Location"]
        preview = owner.get(job)
        assert "is-wrong" in preview.content.decode()
        with tenancy.within(book.pk):
            assert Member.objects.count() == 0
        told = "Line,Member,Column,What is wrong\r\n3,Bad,phone,This is no telephone number.\r\n"
        assert owner.get(f"{job}/wrong").getvalue().decode("utf-8-sig") == told
        agreed = owner.post(f"{job}/agree", {"once": once(preview)})
        assert agreed["Location"] == job
        assert 'hx-trigger="every 2s"' in owner.get(job).content.decode()
        while imports.run_due(at=wall()):
            pass
        finished = owner.get(job).content.decode()
        assert 'hx-trigger="every 2s"' not in finished
        assert ("1 done, 0 refused" in finished, "Lin Mei" in finished) == (True, True)
        assert f"{job}/wrong" in finished
        # What the lines said is deleted by now.
        assert owner.get(f"{job}/wrong").getvalue().decode("utf-8-sig") == told.replace("Bad", "")

    @pytest.mark.parametrize(
        ("name", "data"), [("m.xlsx", b"name\nA\n"), ("m.csv", b"\x00"), ("m.csv", b"nothing\n1\n"), ("m.csv", b"")]
    )
    def test_refuses_what_is_no_sheet(self, owner, book, name, data):
        page = owner.get(f"{BASE}/import")
        reply = owner.post(f"{BASE}/import", {"once": once(page), "file": SimpleUploadedFile(name, data)})

        assert reply.status_code == 200
        assert "field-error" in reply.content.decode()
        with tenancy.within(book.pk):
            assert ImportRow.objects.count() == 0


class TestJoin:
    @pytest.fixture
    def code(self, owner, book):
        send(owner, f"{BASE}/codes")
        return PublicCode.objects.get(kind="join", object_id=book.merchant_id).code

    @pytest.mark.requirement("A24")
    def test_by_a_code_is_once_a_form_and_tells_no_stranger_who_is_a_member(self, owner, book, code):
        join(book, name="Lin Mei", phone="138 0013 8000")
        stranger = Client()
        page = stranger.get(f"/join/{code}")
        fields = {"once": once(page), "name": "Lin", "phone": "138 0013 8000", "consents": ["marketing"]}

        first, again = stranger.post(f"/join/{code}", fields), stranger.post(f"/join/{code}", fields)

        with tenancy.within(book.pk):
            assert Member.objects.filter(source="qr").count() == 1
            joined = Member.objects.get(source="qr")
            assert Duplicate.objects.get().reason == "phone"
        assert (first.status_code, again.status_code) == (303, 303)
        welcome = stranger.get(first["Location"]).content.decode()
        assert re.sub(r"\s", "", joined.number) in re.sub(r"\s", "", welcome)
        assert stranger.get(f"/join/{code}/welcome?member=forged").status_code == 302

    def test_keeps_the_language_that_the_page_was_read_in(self, book, code):
        for language in ("zh-hans", "en"):
            stranger = Client(headers={"accept-language": language})
            stranger.post(f"/join/{code}", {"once": once(stranger.get(f"/join/{code}"))})

        with tenancy.within(book.pk):
            kept = Member.objects.order_by("pk").values_list("customer__preferred_locales", flat=True)
            assert list(kept) == [["zh-Hans"], ["en"]]

    def test_needs_nothing_at_all_and_then_keeps_nothing(self, book, code):
        stranger = Client()
        reply = stranger.post(f"/join/{code}", {"once": once(stranger.get(f"/join/{code}"))})

        assert reply.status_code == 303
        with tenancy.within(book.pk):
            member = Member.objects.select_related("customer").get()
            assert (member.customer.name, member.birthday) == (None, None)

    def test_is_bounded_from_one_address(self, book, code):
        cache.clear()
        for _ in range(joining.JOINED_MAX):
            joining._count("127.0.0.1")
        stranger = Client()
        reply = stranger.post(f"/join/{code}", {"once": once(stranger.get(f"/join/{code}"))})
        cache.clear()

        assert reply.status_code == 429
        with tenancy.within(book.pk):
            assert Member.objects.count() == 0

    def test_of_no_code_is_not_there(self, db):
        assert Client().get("/join/0000000000000000000000").status_code == 404

    def test_poster_can_be_read_by_a_phone(self, owner, code):
        text = owner.get(f"{BASE}/codes/{code}").content.decode()

        assert f"/join/{code}" in text
        assert "<svg" in text
        assert owner.get(f"{BASE}/codes/{'0' * 22}").status_code == 404


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "open_"),
        [
            ("cashier", {"", "/new", "/codes"}),
            ("support", {"", "/new", "/codes", "/duplicates"}),
            ("manager", {"", "/new", "/codes", "/duplicates", "/import"}),
            ("finance", set()),
        ],
    )
    def test_see_what_is_theirs(self, merchant, book, role, open_):
        client = signed_in(make_staff(merchant, role))

        pages = ("", "/new", "/codes", "/duplicates", "/import")
        assert {page for page in pages if client.get(BASE + page).status_code == 200} == open_
