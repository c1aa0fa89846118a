"""A key is used from its networks alone, whatever a request says of itself."""

import pytest

from merchant_platform.kernel.errors import Invalid
from security.credentials import keys, networks
from security.credentials.authentication import memory
from security.credentials.models import SECRET, ApiKey
from tests.cast import NOW, Api

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A44")]

# Where the requests of the tests come from.
HERE = "127.0.0.1"


@pytest.fixture
def made(book):
    return keys.make(book=book, kind=SECRET, now=NOW)


def ask(text, **options):
    memory.polled_at = float("-inf")
    reply = Api(text).get("customers", **options)
    return reply.status, (reply.json.get("error") or {}).get("code")


class TestAllow:
    @pytest.mark.parametrize("allowed", [["127.0.0.1"], ["127.0.0.0/8"], ["203.0.113.0/24", "127.0.0.1/32"], []])
    def test_lets_in_from_there(self, made, allowed):
        key, text = made
        networks.allow(key=key, networks=allowed)

        assert ask(text) == (200, None)

    @pytest.mark.parametrize("allowed", [["203.0.113.7"], ["126.0.0.0/8"], ["2001:db8::/32"]])
    def test_refuses_from_elsewhere_within_a_second(self, made, allowed):
        key, text = made
        assert ask(text) == (200, None)

        networks.allow(key=key, networks=allowed)

        assert ask(text) == (403, "ip_address_not_allowed")

    @pytest.mark.parametrize("wrong", ["", "here", "300.1.1.1", "10.0.0.0/33", "10.0.0.1 10.0.0.2", "\x00"])
    def test_refuses_what_is_no_network_and_changes_nothing(self, made, wrong):
        key, _ = made
        networks.allow(key=key, networks=["10.0.0.0/8"])

        with pytest.raises(Invalid):
            networks.allow(key=key, networks=["10.0.0.1", wrong])

        assert ApiKey.objects.get(pk=key.pk).networks == ["10.0.0.0/8"]

    def test_takes_fifty_at_the_most(self, made):
        key, _ = made

        networks.allow(key=key, networks=[f"10.0.0.{number}" for number in range(50)])
        with pytest.raises(Invalid):
            networks.allow(key=key, networks=[f"10.0.0.{number}" for number in range(51)])

    def test_goes_with_the_key_that_replaces_it(self, made):
        key, _ = made
        networks.allow(key=key, networks=["203.0.113.7"])

        replaced, text = keys.rotate(key=ApiKey.objects.get(pk=key.pk), overlap=keys.OVERLAP_MAX, now=NOW)

        assert ApiKey.objects.get(pk=replaced.pk).networks == ["203.0.113.7/32"]
        assert ask(text) == (403, "ip_address_not_allowed")


class TestOrigin:
    def test_is_not_what_a_request_says_of_itself(self, made):
        key, text = made
        networks.allow(key=key, networks=["203.0.113.7"])

        assert ask(text, headers={"X-Forwarded-For": "203.0.113.7"}) == (403, "ip_address_not_allowed")

    def test_is_an_ipv4_address_in_ipv6_clothes_too(self):
        networks.check(networks.parse(["127.0.0.0/8"]), {"REMOTE_ADDR": "::ffff:127.0.0.1"})
