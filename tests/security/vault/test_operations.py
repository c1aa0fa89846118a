"""Cards kept, opened, destroyed; keys rotated; strangers kept out."""

import os
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import Unavailable
from security.vault import keys
from security.vault import operations as vault
from security.vault.cards import CardUnusable, ClearCard
from security.vault.keys import Tampered
from security.vault.models import CardToken, DataKey
from tests.cast import NOW, race

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"]),
    pytest.mark.requirement("A40"),
]

CARD = ClearCard(number="4242424242424242", exp_month=12, exp_year=2030, holder="林梅")
UNIONPAY = replace(CARD, number="6200000000000005")


def keep(book, card=CARD) -> CardToken:
    with tenancy.within(book.pk):
        return vault.keep_card(card=card, now=NOW)


def opened(book, token) -> ClearCard:
    with tenancy.within(book.pk):
        return vault.open_card(token_id=token.pk)


@pytest.fixture
def rotated(settings):
    """Puts a new key in front of the ring."""

    def rotate(key_id: str) -> str:
        settings.VAULT_KEYS = f"{keys.as_setting(key_id, os.urandom(32))},{settings.VAULT_KEYS}"
        return key_id

    return rotate


class TestKeepCard:
    def test_keeps_what_opens_again(self, book):
        token = keep(book)

        assert opened(book, token) == CARD
        assert (token.brand, token.funding, token.last4) == ("visa", "credit", "4242")
        assert (token.exp_month, token.exp_year) == (12, 2030)

    def test_leaves_no_digit_of_the_number_but_four(self, book):
        token = keep(book)

        with tenancy.within(book.pk):
            row = CardToken.objects.values().get(pk=token.pk)
        shown = repr({name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()})
        assert CARD.number not in shown
        assert CARD.holder not in shown

    def test_takes_unionpay(self, book):
        assert keep(book, UNIONPAY).brand == "unionpay"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"number": "4242424242424241"}, "incorrect_number"),
            ({"exp_month": 13}, "invalid_expiry_month"),
            ({"exp_year": 3030}, "invalid_expiry_year"),
            ({"exp_month": 2, "exp_year": 2026}, "expired_card"),
        ],
    )
    def test_refuses_and_writes_nothing(self, book, change, code):
        with pytest.raises(CardUnusable) as refused:
            keep(book, replace(CARD, **change))

        assert refused.value.code == code
        with tenancy.within(book.pk):
            assert (CardToken.objects.count(), DataKey.objects.count()) == (0, 0)

    def test_is_off_in_a_live_book_unless_switched_on(self, live_book, settings):
        with pytest.raises(vault.VaultOff):
            keep(live_book)
        settings.VAULT_IN_LIVE = True

        assert opened(live_book, keep(live_book)) == CARD

    def test_needs_keys(self, book, settings):
        settings.VAULT_KEYS = ""

        with pytest.raises(Unavailable):
            keep(book)

    def test_makes_one_key_a_book_however_many_come_first(self, book):
        tokens = race(*[lambda: keep(book)] * 4)

        with tenancy.within(book.pk):
            assert DataKey.objects.count() == 1
        assert [opened(book, token) for token in tokens] == [CARD] * 4
        assert len({bytes(token.nonce) for token in tokens}) == 4

    def test_leaves_the_database_to_refuse_a_nonce_used_twice(self, book):
        first, second = keep(book), keep(book)

        with pytest.raises(IntegrityError, match="nonce_is_used_once"), tenancy.within(book.pk):
            CardToken.objects.filter(pk=second.pk).update(nonce=first.nonce)


class TestFingerprint:
    def test_is_the_same_for_a_card_in_a_book_and_another_elsewhere(self, book, other_book):
        first, again, other = keep(book), keep(book, replace(CARD, exp_year=2031)), keep(book, UNIONPAY)
        elsewhere = keep(other_book)

        assert first.fingerprint == again.fingerprint
        assert len({first.fingerprint, other.fingerprint, elsewhere.fingerprint}) == 3

    def test_outlives_a_rotation(self, book, rotated):
        before = keep(book)
        rotated("second")
        vault.rotate()

        assert keep(book).fingerprint == before.fingerprint


class TestOpenCard:
    def test_finds_nothing_of_another_book(self, book, other_book):
        token = keep(book)
        keep(other_book)

        with pytest.raises(vault.NoCard):
            opened(other_book, token)
        with pytest.raises(vault.NoCard):
            opened(book, CardToken(pk=uuid4()))
        with tenancy.within(other_book.pk):
            assert not CardToken.objects.filter(pk=token.pk).exists()
            with pytest.raises(vault.NoCard):
                vault.destroy_card(token_id=token.pk)
        assert opened(book, token) == CARD

    def test_refuses_a_text_that_was_moved_to_another_token(self, book):
        first, second = keep(book), keep(book, UNIONPAY)
        with tenancy.within(book.pk):
            CardToken.objects.filter(pk=second.pk).update(nonce=os.urandom(12))
            moved = CardToken.objects.filter(pk=first.pk)
            moved.update(nonce=second.nonce, ciphertext=second.ciphertext)

        with pytest.raises(Tampered):
            opened(book, first)

    def test_refuses_a_text_that_was_moved_to_another_book(self, book, other_book):
        token, theirs = keep(book), keep(other_book)
        key = DataKey.objects.using("platform").get(book_id=book.pk)
        # As the owner of the database: the whole envelope, key and text, of one book put into another.
        DataKey.objects.using("owner").filter(book_id=other_book.pk).update(nonce=key.nonce, wrapped=key.wrapped)
        CardToken.objects.using("owner").filter(pk=theirs.pk).update(nonce=token.nonce, ciphertext=token.ciphertext)

        with pytest.raises(Tampered):
            opened(other_book, theirs)

    def test_refuses_a_text_that_was_changed(self, book):
        token = keep(book)
        changed = bytes([token.ciphertext[0] ^ 1]) + token.ciphertext[1:]
        with tenancy.within(book.pk):
            CardToken.objects.filter(pk=token.pk).update(ciphertext=changed)

        with pytest.raises(Tampered):
            opened(book, token)

    def test_cannot_point_at_the_key_of_another_book(self, book, other_book):
        token = keep(book)
        key = DataKey.objects.using("platform").get(book_id=keep(other_book).book_id)

        with pytest.raises(DatabaseError), tenancy.within(book.pk), transaction.atomic():
            CardToken.objects.filter(pk=token.pk).update(data_key_id=key.pk)


class TestDestroyCard:
    def test_forgets_the_number_and_not_which_card_it_was(self, book):
        token = keep(book)

        with tenancy.within(book.pk):
            vault.destroy_card(token_id=token.pk)
            left = CardToken.objects.get(pk=token.pk)

        assert left.is_destroyed
        assert (left.nonce, left.ciphertext, left.brand, left.last4) == (None, None, "visa", "4242")
        with pytest.raises(vault.NoCard):
            opened(book, token)
        with pytest.raises(vault.NoCard), tenancy.within(book.pk):
            vault.destroy_card(token_id=token.pk)


class TestRotate:
    def test_wraps_every_books_key_anew_and_once(self, book, other_book, rotated):
        tokens = {each.pk: (each, keep(each)) for each in (book, other_book)}
        before = list(DataKey.objects.using("platform").order_by("pk"))
        texts = list(CardToken.objects.using("platform").order_by("pk").values_list("nonce", "ciphertext"))
        current = rotated("second")

        assert (vault.rotate(), vault.rotate()) == (2, 0)

        after = list(DataKey.objects.using("platform").order_by("pk"))
        assert {key.wrapped_by for key in after} == {current}
        assert not {bytes(key.wrapped) for key in before} & {bytes(key.wrapped) for key in after}
        assert texts == list(CardToken.objects.using("platform").order_by("pk").values_list("nonce", "ciphertext"))
        assert [opened(*each) for each in tokens.values()] == [CARD, CARD]

    def test_lets_the_old_key_go(self, book, rotated, settings):
        token = keep(book)
        rotated("second")
        vault.rotate()

        settings.VAULT_KEYS = settings.VAULT_KEYS.partition(",")[0]

        assert opened(book, token) == CARD

    def test_goes_on_where_it_stopped(self, book, other_book, rotated, settings):
        keep(book), keep(other_book)
        whole = settings.VAULT_KEYS
        first = DataKey.objects.using("platform").order_by("pk").first()
        rotated("second")
        # The key that wraps the second book's is missing at first: the first one's stays done.
        DataKey.objects.using("owner").exclude(pk=first.pk).update(wrapped_by="lost")
        with pytest.raises(Unavailable):
            vault.rotate()
        DataKey.objects.using("owner").filter(wrapped_by="lost").update(wrapped_by=whole.partition(":")[0])

        assert vault.rotate() == 1

    def test_is_a_command_that_says_what_it_did(self, book, rotated, capsys):
        keep(book)
        rotated("second")

        call_command("vault", "status")
        call_command("vault", "rotate")
        call_command("vault", "status")

        assert capsys.readouterr().out.splitlines() == [
            "second  current  wraps 0",
            "tests  old  wraps 1",
            "1 data keys were wrapped by 'second'.",
            "second  current  wraps 1",
            "tests  old  wraps 0",
        ]

    def test_has_a_command_for_a_new_key(self, settings, capsys):
        call_command("vault", "key", "2027-01")

        settings.VAULT_KEYS = capsys.readouterr().out.strip()
        assert keys.ring().current_id == "2027-01"


class TestTime:
    def test_is_the_books_own(self, book):
        with pytest.raises(CardUnusable, match="expired"), tenancy.within(book.pk):
            vault.keep_card(card=CARD, now=NOW + timedelta(days=365 * 5))
