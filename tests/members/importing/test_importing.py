"""A sheet of members: what each row would do, done in the background once, and nothing the second time."""

import pytest

from members.directory import profile, queries
from members.directory.models import Contact, Member
from members.importing import operations, planning
from members.importing.models import ImportRow
from members.importing.queries import progress
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.clock import wall
from payments.customers.models import Customer
from security.privacy import queries as allowed
from tests.architecture.asking import as_owner
from tests.cast import race
from tests.members.people import hand_of, join
from tests.staff import make_staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])

SHEET = """number,name,phone,email,birthday,household,tags,consents,joined
OLD-0001,Zhou Zimo,139 0013 9000,zhou@example.com,1991-02-03,Zhou,regular;press,personalisation;profile,2024-05-06
,Lin Mei,138 0013 8000,,,,vip,,
,Lin Mei,+86 138 0013 8000,,,,vip,,
,Wrong,12,nobody,2030-01-01,,,,
,No consent,,no@example.com,1990-01-01,,,,
,,,,,Nobody,,,
,'=1+1,,formula@example.com,,,,,
"""


@pytest.fixture
def staff(merchant):
    return make_staff(merchant, "manager")


def plan(book, staff, text):
    with tenancy.within(book.pk):
        return operations.plan(text, staff_id=staff.pk, hand=hand_of(book, source="import"), at=wall())


def bring(book, staff, text):
    job = plan(book, staff, text)
    with tenancy.within(book.pk):
        operations.agree(job_id=job.pk, hand=hand_of(book, source="import"), at=wall())
    while operations.run_due(at=wall()):
        pass
    return job


def rows(book, job):
    with tenancy.within(book.pk):
        kept = ImportRow.objects.filter(job=job).order_by("number")
        return [(each.number, each.kind, each.state, each.problems) for each in kept]


class TestPlan:
    def test_says_row_by_row_what_it_would_do_and_writes_no_member(self, book, staff):
        known = join(book, name="Lin M", phone="138 0013 8000", tags=["regular"])

        job = plan(book, staff, SHEET)

        assert rows(book, job) == [
            (2, "created", "waiting", []),
            (3, "changed", "waiting", []),
            (4, "wrong", "waiting", [["line 3", "named_before"]]),
            (5, "wrong", "waiting", [["phone", "no_phone"], ["email", "no_email"], ["birthday", "no_day"]]),
            (6, "wrong", "waiting", [["birthday", "no_consent"]]),
            (7, "wrong", "waiting", [["name", "nobody"]]),
            (8, "created", "waiting", []),
        ]
        with tenancy.within(book.pk):
            kept = list(ImportRow.objects.filter(job=job).order_by("number"))
            said = [each["changes"] for _, each in operations.opened(kept[:2], now=book.now)]
            assert said[0] == [
                ["phone", "", "+86*******9000"],
                ["email", "", "z***@example.com"],
                ["name", "", "Zhou Zimo"],
                ["household", "", "Zhou"],
                ["birthday", "", "1991-02-03"],
                ["number", "", "OLD-0001"],
                ["joined", "", "2024-05-06"],
                ["tags", "", "press, regular"],
                ["consents", "", "personalisation, profile"],
            ]
            assert said[1] == [["name", "Lin M", "Lin Mei"], ["tags", "regular", "regular, vip"]]
            assert list(Member.objects.all()) == [known]

    def test_reads_a_sheet_that_is_headed_in_chinese(self):
        read = planning.read("姓名,手机号,标签\n李芳,13800000001,常客\n")

        assert [row.cells for row in read] == [{"name": "李芳", "phone": "13800000001", "tags": "常客"}]

    def test_keeps_the_sheet_under_seal(self, book, staff):
        plan(book, staff, SHEET)

        kept = str(as_owner("SELECT to_jsonb(t) FROM members_importrow t"))
        assert [each for each in ("Zhou", "1390013", "example.com", "1991") if each in kept] == []

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "no_header"),
            ("a,b\n1,2\n", "no_header"),
            ("name,name\nA,B\n", "unknown_column"),
            ("name,secret\nA,B\n", "unknown_column"),
            ("name\n", "empty"),
            ("name\n" + "A\n" * 2_001, "too_many_rows"),
            ('"name\nA\n', "no_header"),
        ],
    )
    def test_refuses_what_is_no_such_sheet(self, text, why):
        with pytest.raises(planning.Unreadable) as refused:
            planning.read(text)

        assert refused.value.why == why

    @pytest.mark.parametrize(
        ("text", "column"),
        [("姓名,等级\nA,B\n", "等级"), ("姓名,电话,手机\nA,1,2\n", "手机"), ("name,Secret\n", "secret")],
    )
    def test_says_which_column_it_does_not_know(self, text, column):
        with pytest.raises(planning.Unreadable) as refused:
            planning.read(text)

        assert refused.value.column == column

    def test_loses_no_good_row_to_a_broken_one(self, book, staff):
        """Quotes that do not match, a cell over two lines, more cells than columns, too many tags."""
        tags = ";".join(f"t{number}" for number in range(21))
        text = (
            'name,phone,tags\nA,13800000001,\n"B,13800000002,\n"C ""c""",13800000003,\n"D"d,1,\n"E\ne",13800000005,\n'
        )
        text += f"F,13800000006,,more\nG,13800000007,{tags}\nH,13800000008,vip\n"

        job = bring(book, staff, text)

        assert rows(book, job) == [
            (2, "created", "done", []),
            (3, "wrong", "failed", [["", "broken_quotes"]]),
            (4, "created", "done", []),
            (5, "wrong", "failed", [["", "broken_quotes"]]),
            (6, "created", "done", []),
            (8, "wrong", "failed", [["", "too_many_cells"]]),
            (9, "wrong", "failed", [["tags", "too_many_tags"]]),
            (10, "created", "done", []),
        ]
        with tenancy.within(book.pk):
            names = Customer.objects.order_by("name").values_list("name", flat=True)
            assert list(names) == ["A", 'C "c"', "E e", "H"]

    @pytest.mark.parametrize("count", [1, 40])
    def test_asks_as_much_for_many_rows_as_for_one(self, book, count, django_assert_num_queries):
        join(book, name="Lin Mei", phone="138 0013 8000")
        text = "number,name,phone\n,Lin M,13800138000\n" + "".join(f"A{n:04d},N,1390000{n:04d}\n" for n in range(count))
        with tenancy.within(book.pk):
            read, hand = planning.read(text), hand_of(book)
            with django_assert_num_queries(9):
                planning.judge(read, hand=hand)


@pytest.mark.requirement("A24")
class TestBring:
    def test_does_what_was_agreed_and_changes_nothing_the_second_time(self, book, staff):
        join(book, name="Lin M", phone="138 0013 8000", tags=["regular"])

        first = bring(book, staff, SHEET)

        assert [state for _, _, state, _ in rows(book, first)] == ["done", "done"] + ["failed"] * 4 + ["done"]
        with tenancy.within(book.pk):
            zhou = Member.objects.select_related("customer", "household").get(number="OLD-0001")
            assert (zhou.customer.name, zhou.household.name, str(zhou.birthday), zhou.source) == (
                "Zhou Zimo",
                "Zhou",
                "1991-02-03",
                "import",
            )
            assert zhou.joined_at.date().isoformat() == "2024-05-06"
            assert queries.about([zhou.pk])[zhou.pk].tags == ["press", "regular"]
            assert sorted(allowed.standing(zhou.customer_id)) == ["personalisation", "profile"]
            assert queries.opened(zhou, hand=hand_of(book)) == {"phone": "+8613900139000", "email": "zhou@example.com"}
            assert set(Customer.objects.values_list("name", flat=True)) == {"Lin Mei", "Zhou Zimo", "=1+1"}
            assert ImportRow.objects.filter(ciphertext__isnull=False).count() == 0
        before = as_owner("SELECT to_jsonb(t) FROM members_member t ORDER BY id")

        again = plan(book, staff, SHEET)

        assert [kind for _, kind, _, _ in rows(book, again)] == [
            "same",
            "same",
            "wrong",
            "wrong",
            "wrong",
            "wrong",
            "same",
        ]
        bring(book, staff, SHEET)
        assert as_owner("SELECT to_jsonb(t) FROM members_member t ORDER BY id") == before

    def test_is_done_once_by_two_workers_and_once_where_it_is_agreed_to_twice(self, book, staff):
        text = "name,phone\n" + "".join(f"N{n},1380000{n:04d}\n" for n in range(20))
        job = plan(book, staff, text)
        for _ in range(2):
            with tenancy.within(book.pk):
                operations.agree(job_id=job.pk, hand=hand_of(book, source="import"), at=wall())

        race(*[lambda: operations.run_due(at=wall())] * 2)
        while operations.run_due(at=wall()):
            pass

        with tenancy.within(book.pk):
            assert (Member.objects.count(), Contact.objects.count()) == (20, 20)
            done = progress(job.pk)
            assert (done.total_count, done.done_count, done.is_finished) == (20, 20, True)

    def test_holds_each_row_against_the_book_as_it_is_then(self, book, staff):
        text = "name,phone,number\nLin Mei,138 0013 8000,OLD-0002\n"
        job = plan(book, staff, text)
        join(book, name="Somebody", phone="138 0013 8000")
        with tenancy.within(book.pk):
            operations.agree(job_id=job.pk, hand=hand_of(book, source="import"), at=wall())

        operations.run_due(at=wall())

        assert rows(book, job) == [(2, "created", "failed", [["number", "another_number"]])]

    def test_tells_the_column_of_what_was_refused_in_the_end_and_does_the_others(self, book, staff, monkeypatch):
        monkeypatch.setattr(profile, "TAGS_OF_A_BOOK_MAX", 1)
        text = "name,phone,tags\nA,13800000001,vip\nB,13800000002,press\nC,13800000003,vip\n"

        job = bring(book, staff, text)

        assert rows(book, job) == [
            (2, "created", "done", []),
            (3, "created", "failed", [["tags", "parameter_invalid"]]),
            (4, "created", "done", []),
        ]

    def test_goes_on_after_a_worker_was_killed(self, book, staff, monkeypatch):
        """It had taken up all rows and done two: the others are taken up when its lease ends."""
        text = "name,phone\n" + "".join(f"N{n},1380000{n:04d}\n" for n in range(5))
        job = plan(book, staff, text)
        at, one, done = wall(), operations._one, []
        with tenancy.within(book.pk):
            operations.agree(job_id=job.pk, hand=hand_of(book, source="import"), at=at)

        def killed(*row):
            if len(done) == 2:
                raise SystemExit
            done.append(one(*row))

        with monkeypatch.context() as patch:
            patch.setattr(operations, "_one", killed)
            with pytest.raises(SystemExit):
                operations.run_due(at=at)
        states = [state for _, _, state, _ in rows(book, job)]

        assert sorted(states) == ["done"] * 2 + ["waiting"] * 3
        assert (operations.run_due(at=at), operations.run_due(at=at + operations.LEASE)) == (0, 3)
        with tenancy.within(book.pk):
            assert Member.objects.count() == 5

    def test_of_another_book_is_not_there(self, book, other_book, staff):
        job = plan(book, staff, SHEET)

        with tenancy.within(other_book.pk):
            assert progress(job.pk) is None


def test_purge_throws_away_what_nobody_agreed_to(book, staff):
    plan(book, staff, SHEET)

    assert operations.purge(at=wall()) == 0
    assert operations.purge(at=wall() + operations.KEPT) == 1
    with tenancy.within(book.pk):
        assert ImportRow.objects.count() == 0
