"""The demo world: planted once and whole, by rows that real payments would have written, and open to its keys."""

import json
import re
from datetime import UTC, timedelta
from random import Random
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import transaction

from merchant_platform.demo import catalogue, payers, people, seed, world
from merchant_platform.demo import refunds as demo_refunds
from merchant_platform.demo.bulk import insert
from merchant_platform.demo.buyers import Buyer
from merchant_platform.demo.chapter import Chapter
from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.patterns import Goods
from merchant_platform.demo.people import Person
from merchant_platform.demo.shops import CAFE, Shop
from merchant_platform.demo.stage import Stage
from merchant_platform.demo.trade import open_wallets
from merchant_platform.demo.visits import Visit
from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.errors import Unauthenticated
from merchant_platform.kernel.events.models import Delivery, Event
from payments.catalog import operations as catalog
from payments.customers import operations as customers
from payments.customers.models import Customer
from payments.intents import operations as intents
from payments.intents import refunds, wallet_road
from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.ledger import queries as ledger_queries
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.origin import Origin
from payments.wallets import operations as wallets
from payments.wallets.models import Wallet
from security.credentials.authentication import authenticate, memory
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants import queries as merchant_queries
from security.merchants.models import TEST, Book, Merchant
from tests import cast, database
from tests.cast import NOW, Api, name_cluster
from tests.payments import books

# The cast's fixtures that these tests use.
platform, merchant, book, reactions = cast.platform, cast.merchant, cast.book, cast.reactions
other_merchant, other_book = cast.other_merchant, cast.other_book

DAYS, ORDERS = 40, 400
URL = "http://pay.test"


def plant(path, *, now=NOW, base_url=URL):
    return seed.ensure(path=path, base_url=base_url, now=now, days=DAYS, orders=ORDERS)


def book_of(slug=CAFE.slug):
    return Book.objects.get(merchant__slug=slug, mode=TEST)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "demo.json"


@pytest.fixture
def forget():
    """Web processes look once a second whether a key was revoked; the next request of a test cannot wait for it."""

    def forget():
        memory.holders.clear()
        memory.polled_at = float("-inf")

    return forget


@pytest.fixture(scope="class")
def planted(django_db_setup, django_db_blocker, tmp_path_factory):
    """A world that the tests of a class only read: what was planted, and what its file says."""
    path = tmp_path_factory.mktemp("demo") / "demo.json"
    with django_db_blocker.unblock():
        database.empty()
        name_cluster()
        merchants.found_platform(now=NOW)
        planted = plant(path)
        yield planted, json.loads(path.read_text())
        database.empty()


@pytest.mark.django_db(databases=["default", "owner", "platform"])
class TestWorld:
    def test_keeps_books_that_agree(self, planted):
        books.assert_agree()

    def test_has_what_it_says(self, planted):
        cafe, bookshop = planted[0].told

        assert planted[0].in_words == f"{cafe.orders + bookshop.orders} orders, 60 customers, {DAYS} days"
        for slug, told in (("morning-light-coffee", cafe), ("shanhai-books", bookshop)):
            with tenancy.within(book_of(slug).pk):
                assert Order.objects.filter(status="paid", is_implicit=False).count() == told.orders
                assert Customer.objects.count() == told.customers == 30

    def test_has_declines_refunds_and_payments_that_never_came(self, planted):
        with tenancy.within(book_of().pk):
            statuses = set(PaymentIntent.objects.values_list("status", flat=True))
            declines = set(Attempt.objects.filter(status="declined").values_list("decline_code", flat=True))
            refunded = set(Refund.objects.values_list("status", flat=True))

        assert statuses == {"succeeded", "canceled", "requires_payment_method"}
        assert "insufficient_funds" in declines
        assert refunded == {"succeeded"}

    def test_leaves_live_books_empty(self, planted):
        live = [str(book.pk) for book in Book.objects.filter(mode="live")]

        for table in (table for table in books.tables() if _has_book(table)):
            assert books.run(f"SELECT count(*) FROM {table} WHERE book_id = ANY (%s::uuid[])", live) == [(0,)], table

    def test_never_lets_a_wallet_hold_less_than_nothing(self, planted):
        lowest = books.run(
            """
            SELECT min(held) FROM (
                SELECT sum(legs.amount) OVER (PARTITION BY legs.account ORDER BY e.effective_at)
                FROM (
                    SELECT credit_account_id AS account, entry_id, amount_minor AS amount FROM payments_transfer
                    UNION ALL SELECT debit_account_id, entry_id, -amount_minor FROM payments_transfer
                ) AS legs
                JOIN payments_entry e ON e.id = legs.entry_id
                JOIN payments_account a ON a.id = legs.account AND a.code = 'wallet'
            ) AS moments (held)
            """
        )

        assert lowest[0][0] >= 0

    def test_gives_each_row_an_id_of_its_time(self, planted):
        for table, column in (
            *(
                (f"payments_{name}", "created_at")
                for name in ("customer", "order", "paymentintent", "attempt", "refund")
            ),
            ("payments_entry", "effective_at"),
            ("kernel_event", "created_at"),
        ):
            rows = books.run(f"SELECT id::text, {column} FROM {table}")

            assert rows, table
            assert [ids.made_at(UUID(text)) for text, _ in rows] == [_to_the_millisecond(at) for _, at in rows], table

    def test_tells_of_thirty_days_and_owes_nobody(self, planted):
        with tenancy.within(book_of().pk):
            oldest = Event.objects.order_by("pk")[0]
            deliveries = Delivery.objects.count()
            recent = PaymentIntent.objects.filter(created_at__gte=NOW - timedelta(days=30)).count()
            told = Event.objects.filter(type="payment_intent.created").count()

        assert oldest.created_at >= NOW - timedelta(days=30)
        assert told == recent
        assert deliveries == 0

    def test_records_decisions_that_replay(self, planted):
        with tenancy.within(book_of().pk):
            decisions = list(Decision.objects.all())
            declined = Attempt.objects.filter(status="declined").count()

        assert len(decisions) == declined
        assert all(rules.replay(decision) for decision in decisions)

    def test_shows_a_wallet_its_statement_in_the_order_of_time(self, planted):
        wallet = Wallet.objects.get(consumer__user__email=people.CONSUMERS[0].email)

        times = [line.effective_at for line in ledger_queries.statement(wallet.account, limit=1_000)]

        assert len(times) > 20
        assert times == sorted(times, reverse=True)

    def test_lets_its_keys_in_and_keeps_the_other_merchant_out(self, planted):
        said = planted[1]
        ours, theirs = Api(said["secret_key"]), Api(said["other_secret_key"])
        customer = said["consumers"][0]["customer"]

        own, foreign = ours.get(f"customers/{customer}"), theirs.get(f"customers/{customer}")

        assert (own.status, own.json["email"]) == (200, people.CONSUMERS[0].email)
        assert (foreign.status, foreign.error["code"]) == (404, "resource_missing")
        assert authenticate(said["publishable_key"]).kind == "publishable"

    def test_lets_its_people_in(self, planted):
        said = planted[1]
        logins = [*said["staff"], *said["other_staff"], *said["consumers"]]

        allowed = [User.objects.get(email=login["email"]).check_password(login["password"]) for login in logins]

        assert allowed == [True] * 13
        assert [login["role"] for login in said["staff"]] == [
            *("owner", "manager", "cashier", "analyst", "developer", "support", "finance", "operator")
        ]
        assert User.objects.get(is_operator=True).email == said["staff"][-1]["email"]


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
class TestEnsure:
    def test_writes_no_row_the_second_time(self, platform, path):
        plant(path)
        first = json.loads(path.read_text())

        with books.unchanged():
            assert plant(path, now=NOW + timedelta(days=1), base_url="http://moved.test") is None

        assert json.loads(path.read_text()) == {**first, "base_url": "http://moved.test"}

    def test_writes_a_file_for_its_owner_alone(self, platform, path):
        plant(path)

        said = json.loads(path.read_text())
        merchant = Merchant.objects.get(slug="morning-light-coffee")
        assert path.stat().st_mode & 0o777 == 0o600
        assert list(said) == [
            *("base_url", "merchant", "merchant_slug", "secret_key", "publishable_key", "other_secret_key"),
            *("staff", "consumers", "other_merchant_slug", "other_staff"),
        ]
        assert (said["base_url"], said["merchant"]) == (URL, ids.show("mer", merchant.pk))

    @pytest.mark.parametrize("text", [None, "{", '{"secret_key": "sk_test_of_another_database"}'])
    def test_makes_keys_and_passwords_anew_where_the_file_is_lost(self, platform, path, forget, text):
        plant(path)
        lost = json.loads(path.read_text())
        path.unlink() if text is None else path.write_text(text)

        plant(path)

        forget()
        said = json.loads(path.read_text())
        assert books.run("SELECT count(*), count(revoked_at) FROM security_apikey") == [(6, 3)]
        assert authenticate(said["secret_key"]).book_id == book_of().pk
        for name in ("secret_key", "publishable_key", "other_secret_key"):
            with pytest.raises(Unauthenticated):
                authenticate(lost[name])
        owner = User.objects.get(email="owner@example.com")
        assert owner.check_password(said["staff"][0]["password"])
        assert not owner.check_password(lost["staff"][0]["password"])

    def test_leaves_nothing_where_it_is_interrupted(self, platform, path, monkeypatch):
        class Killed(Exception):
            pass

        def killed(self):
            raise Killed

        monkeypatch.setattr(Chapter, "write", killed)
        with books.unchanged(), pytest.raises(Killed):
            plant(path)
        assert not path.exists()

        monkeypatch.undo()
        assert plant(path) is not None
        books.assert_agree()

    def test_owes_no_event_to_handlers_that_would_react(self, platform, path, reactions):
        reactions["payment_intent.succeeded"] = ("tests.nobody.reacts",)

        plant(path)

        assert books.counts().get("kernel_delivery", 0) == 0
        assert books.counts()["kernel_event"] > 0

    def test_leaves_a_login_alone_that_is_somebodys(self, platform, path):
        User.objects.create_user("owner@example.com", "my own password")

        with books.unchanged(), pytest.raises(world.AddressTaken, match=r"owner@example\.com signs in here already"):
            plant(path)

        assert not path.exists()

    def test_is_a_command(self, platform, path, settings, capsys):
        settings.DATA_DIR, settings.PUBLIC_URL = path.parent, URL

        call_command("demo", days=5, orders=40)
        call_command("demo")

        first, second = capsys.readouterr().out.splitlines()
        assert re.fullmatch(rf"Demo world: \d+ orders, 60 customers, 5 days in \d+\.\d s. {path}", first)
        assert second == f"The demo world is there: {path}"


# --- the rows ------------------------------------------------------------------------

LATTE, CROISSANT = Goods("拿铁", "咖啡", 2800, 680, description="Caffè latte"), Goods("黄油可颂", "烘焙", 1600, 520)
SHOP = Shop("shop", "Shop", CAFE.places, (LATTE, CROISSANT), CAFE.rhythm, CAFE.taste)
GUEST = Person("林晓晨", "Lin@example.com")
LIMIT = 10_000


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def seeded(book, store):
    """What the demo writes of a guest who pays, is declined, comes back, and gets money back in three ways."""
    chronicle = Chronicle(book_id=book.pk, mode=TEST, told_since=NOW - timedelta(days=999))
    stocked = catalogue.stock(SHOP, chronicle=chronicle, now=at(-600))
    latte, croissant = stocked
    buyer = Buyer(GUEST, 1, "any", 0, {}, 0, 1, 20_000, True, limit_minor=LIMIT, is_known=True)
    bank = chart.bank(merchant_queries.platform_book_id(mode=TEST), "CNY", TEST)
    stage = Stage(SHOP, book.merchant, [store], book.pk, bank, orders=1, start=at(-500), now=at(500))
    register = payers.register(
        stage, chronicle=chronicle, buyers=[buyer], visits=[Visit(at(0), at(0), buyer, 0)], wallets={}
    )
    payer = register.payers[buyer]
    purse, method, guest = payer.purse, payer.method, payer.customer
    assert guest is not None

    def order(number, minutes, *sold):
        return chronicle.order(
            sold=sold,
            currency="CNY",
            customer_id=guest.pk,
            store_id=store.pk,
            reference=f"JA-{number}",
            now=at(minutes),
        )

    def pay(order, minutes):
        intent = chronicle.intent(order, method=method, description="拿铁", now=at(minutes))
        attempt = chronicle.attempt(intent, method, now=at(minutes))
        chronicle.capture(order, intent, attempt, source=purse.account, now=at(minutes))
        return attempt

    def refuse(order, minutes, **found):
        intent = chronicle.intent(order, method=method, description="拿铁", now=at(minutes))
        attempt = chronicle.attempt(intent, method, now=at(minutes))
        facts = {**purse.facts(order.total_minor, now=at(minutes)), **found}
        chronicle.decline(intent, attempt, method, facts=facts, now=at(minutes))
        return intent

    first, lines = order(1, 1, (*latte, 2), (*croissant, 1))
    intent = refuse(first, 2, has_funds=False)
    top_up = purse.top_up(20_000, before=at(3), rng=Random(1))
    chronicle.chapter.top_ups.append(top_up)
    attempt = chronicle.attempt(intent, method, now=at(3))
    chronicle.capture(first, intent, attempt, source=purse.account, now=at(3))
    demo_refunds.refund(
        chronicle,
        first,
        attempt,
        [(lines[0], 1, 2800)],
        target=purse.account,
        reason="requested_by_customer",
        now=at(4),
    )
    second, lines = order(2, 5, (*latte, 1), (*croissant, 1))
    parts = money.split(500, [2800, 1600])
    shares = [(line, 0, part) for line, part in zip(lines, parts, strict=True)]
    demo_refunds.refund(chronicle, second, pay(second, 6), shares, target=purse.account, reason=None, now=at(7))
    third, lines = order(3, 8, (*croissant, 1))
    demo_refunds.refund(
        chronicle, third, pay(third, 9), [(lines[0], 1, 1600)], target=purse.account, reason="duplicate", now=at(10)
    )
    fourth, _ = order(4, 11, (*latte, 4))
    chronicle.cancel(refuse(fourth, 12), reason="abandoned", now=at(13))
    fifth, _ = order(5, 14, (*latte, 1))
    chronicle.cancel(
        chronicle.intent(fifth, method=None, description="拿铁", now=at(15)), reason="requested_by_customer", now=at(16)
    )
    chapter = chronicle.turn_page()
    with transaction.atomic():
        open_wallets(register.wallets, platform_book_id=bank.owner_id)
        with tenancy.within(book.pk):
            insert([product for product, _ in stocked])
            insert([price for _, price in stocked])
            insert(register.customers)
            insert(register.mandates)
            insert(register.methods)
            ledger.open_accounts([chart.merchant(book.pk, "CNY", TEST), chart.fees(book.pk, "CNY", TEST)])
        with tenancy.within(bank.owner_id):
            chapter.write_top_ups()
        with tenancy.within(book.pk):
            chapter.write()
    return purse.wallet, guest, method, top_up


def by_the_general_road(book, store, *, wallet, customer, method, top_up):
    """The same, at the same times, one operation after the other."""
    origin = Origin(livemode=False)
    opened = Wallet.objects.select_related("consumer").get(pk=wallet.pk)
    with tenancy.within(merchant_queries.platform_book_id(mode=TEST)):
        consumer = type(opened.consumer).objects.create(
            id=ids.new(opened.created_at), mode=TEST, created_at=opened.created_at
        )
        own = wallets.open_wallet(consumer=consumer, currency="CNY", now=opened.created_at)
    with tenancy.within(book.pk):
        prices = [
            stocked(goods, at(-600) + place * timedelta(seconds=40), origin) for place, goods in enumerate(SHOP.goods)
        ]
        guest = customers.create(
            fields={
                "name": GUEST.name,
                "email": GUEST.email,
                "preferred_locales": ["zh-CN"],
                "consumer_id": consumer.pk,
            },
            now=customer.created_at,
            origin=origin,
        )
        mandate = wallets.give_mandate(wallet=own, limit_minor=LIMIT, now=method.created_at)
        saved = customers.save_wallet(customer=guest, mandate=mandate, now=method.created_at, origin=origin)

    def order(number, minutes, *sold):
        with tenancy.within(book.pk):
            return orders.create(
                currency="CNY",
                lines=[orders.LineDraft(quantity=quantity, price=price) for price, quantity in sold],
                customer_id=guest.pk,
                store_id=store.pk,
                reference=f"JA-{number}",
                now=at(minutes),
                origin=origin,
            )

    def create(order, minutes, *, method_id=saved.pk):
        terms = intents.Terms(
            amount_minor=order.total_minor,
            currency="CNY",
            customer_id=guest.pk,
            payment_method_id=method_id,
            order_reference=order.reference,
            details={"capture_method": "automatic_async", "description": "拿铁"},
        )
        intent = intents.create(terms_=terms, now=at(minutes), origin=origin)
        if method_id is None:
            return intent
        return wallet_road.confirm(intent_id=intent.pk, mode=TEST, now=at(minutes), origin=origin)

    def pay(order, minutes):
        with tenancy.within(book.pk):
            return create(order, minutes)

    def refund(intent, minutes, **how):
        with tenancy.within(book.pk):
            refunds.refund(attempt_id=intent.latest_attempt_id, mode=TEST, now=at(minutes), origin=origin, **how)

    latte, croissant = prices
    first, lines = order(1, 1, (latte, 2), (croissant, 1))
    intent = pay(first, 2)
    wallets.top_up(
        wallet=own,
        amount_minor=top_up.lines[0].amount_minor,
        reference=f"top_up:{ids.show('txn', ids.new(NOW))}",
        now=top_up.effective_at,
    )
    with tenancy.within(book.pk):
        intent = wallet_road.confirm(
            intent_id=intent.pk, payment_method_id=saved.pk, mode=TEST, now=at(3), origin=origin
        )
    refund(intent, 4, lines=[refunds.LineRefund(lines[0].pk, quantity=1)], reason="requested_by_customer")
    second, _ = order(2, 5, (latte, 1), (croissant, 1))
    refund(pay(second, 6), 7, amount_minor=500)
    third, _ = order(3, 8, (croissant, 1))
    refund(pay(third, 9), 10, reason="duplicate")
    fourth, _ = order(4, 11, (latte, 4))
    declined = pay(fourth, 12)
    fifth, _ = order(5, 14, (latte, 1))
    with tenancy.within(book.pk):
        intents.cancel(intent_id=declined.pk, reason="abandoned", now=at(13), origin=origin)
        unpaid = create(fifth, 15, method_id=None)
        intents.cancel(intent_id=unpaid.pk, reason="requested_by_customer", now=at(16), origin=origin)


def stocked(goods, now, origin):
    product = catalog.create_product(
        fields={
            "name": goods.name,
            "description": goods.description,
            "category": goods.category,
            "cost_minor": goods.cost_minor,
        },
        now=now,
        origin=origin,
    )
    price = catalog.create_price(
        product_id=product.pk,
        fields={"currency": "CNY", "unit_amount_minor": goods.price_minor},
        now=now,
        origin=origin,
    )
    catalog.update_product(product_id=product.pk, fields={"default_price_id": price.pk}, now=now, origin=origin)
    return type(price).objects.select_related("product").get(pk=price.pk)


@pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
class TestRows:
    def test_are_those_of_the_general_road(self, platform, merchant, book, other_book):
        store = merchants.open_store(merchant=merchant, name="静安店", now=NOW)
        platform_book_id = merchant_queries.platform_book_id(mode=TEST)
        with tenancy.within(platform_book_id):
            ledger.open_accounts([chart.bank(platform_book_id, "CNY", TEST)])
        empty = books.rows()

        wallet, customer, method, top_up = seeded(book, store)
        between = books.rows()
        by_the_general_road(other_book, store, wallet=wallet, customer=customer, method=method, top_up=top_up)

        of_the_demo, of_the_road = written(empty, between), written(between, books.rows())
        assert of_the_demo.keys() == of_the_road.keys()
        for table, rows in of_the_demo.items():
            assert [pair for pair in zip(rows, of_the_road[table], strict=True) if pair[0] != pair[1]] == [], table
        assert {"payments_refundline", "kernel_decision", "payments_transfer"} <= of_the_demo.keys()
        books.assert_agree()


def written(before, after):
    """What came, without what tells one book from another: ids, secrets and the time of writing."""
    differing = books.differing(before, after)
    assert [table for table, (gone, _) in differing.items() if gone] == []
    return {table: sorted(_nameless(row) for row in came) for table, (_, came) in differing.items()}


def _nameless(row):
    values = json.loads(row)
    if "data" in values:
        # jsonb keeps no order of keys, so what was read back has another one than what was made.
        values["data"] = json.loads(values["data"])
    row = json.dumps(values, sort_keys=True, ensure_ascii=False)
    for pattern in (
        r'"(recorded_at|xid)": "?[^",}]*"?',
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        r"_[0-9A-Za-z]{22}\b",
        r"_[0-9A-Za-z]{22}_secret_[0-9a-f]{32}",
    ):
        row = re.sub(pattern, "…", row)
    return row


def _has_book(table):
    return books.run(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'book_id'", table
    ) == [(1,)] and table not in ("payments_account", "security_apikey", "security_flag")


def _to_the_millisecond(stamped):
    return stamped.astimezone(UTC).replace(microsecond=stamped.microsecond // 1000 * 1000)
