"""Members for tests: a hand at the café's dashboard, and the short way to somebody who joined."""

from members.directory import profile
from members.directory.hand import Hand
from members.directory.models import DASHBOARD
from members.directory.profile import Profile
from merchant_platform.kernel import tenancy
from security.audit.operations import PLATFORM
from tests.cast import origin_of


def hand_of(book, **given):
    return Hand(
        **{
            "source": DASHBOARD,
            "actor": PLATFORM,
            "book_id": book.pk,
            "merchant_id": book.merchant_id,
            "country": "CN",
            "now": book.now,
            "origin": origin_of(book),
            **given,
        }
    )


def join(book, *, consents=(), is_claim=True, **said):
    """Somebody who joined; two of them may share a contact."""
    with tenancy.within(book.pk):
        return profile.add(Profile(**said), hand=hand_of(book), consents_to=consents, is_claim=is_claim)
