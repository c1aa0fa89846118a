"""Where a webhook may go: by the form of its address, and by what its name leads to."""

import pytest

from payments.webhooks import addresses
from payments.webhooks.addresses import InvalidUrl, RefusedAddress, check_form, check_resolved, is_public, read

PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.9.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
]


class TestIsPublic:
    @pytest.mark.parametrize("address", PRIVATE)
    def test_refuses_what_is_not_the_open_internet(self, address):
        assert is_public(address) is False

    @pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
    def test_lets_the_rest_pass(self, address):
        assert is_public(address) is True


class TestCheckResolved:
    def test_refuses_a_name_with_one_private_address_among_public_ones(self):
        with pytest.raises(RefusedAddress):
            check_resolved(["8.8.8.8", "10.0.0.1"])

    def test_refuses_a_name_without_any(self):
        with pytest.raises(RefusedAddress):
            check_resolved([])

    def test_takes_public_ones(self):
        check_resolved(["8.8.8.8", "2606:4700::1111"])


class TestCheckForm:
    @pytest.mark.parametrize(
        "url",
        [
            "https://example.com",
            "https://example.com/hooks?shop=1",
            "https://hooks.example.com:8443/a",
            "https://xn--fiqs8s.example/",
            "https://a_b.example.com/",
            "https://EXAMPLE.com/",
            "https://example.com./",
        ],
    )
    def test_takes_what_could_be_an_endpoint(self, url):
        check_form(url, livemode=True)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "example.com",
            "ftp://example.com/",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "https://@example.com/",
            "https://example.com@127.0.0.1/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://8.8.8.8/",
            "https://8.8.8.8./",
            "https://[::1]/",
            "https://[2606:4700::1111]/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://app.localhost/",
            "https://db.internal/",
            "https://printer.local/",
            "https://router.lan/",
            "https://intranet/",
            "https://example..com/",
            "https://.example.com/",
            "https://-example.com/",
            "https://exam ple.com/",
            "https://example.com/\r\nX: y",
            "https://example.com\\@127.0.0.1/",
            "https://例子.example/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://example.com:port/",
            "https://example.com/#part",
            "https://%31%32%37.0.0.1/",
            f"https://example.com/{'a' * 2048}",
            f"https://{'a.' * 126}com/",
            f"https://{'a' * 64}.com/",
        ],
    )
    def test_refuses_what_could_not(self, url):
        with pytest.raises(InvalidUrl) as refused:
            check_form(url, livemode=False)

        assert (refused.value.code, refused.value.param) == ("url_invalid", "url")

    def test_takes_http_in_test_mode_alone(self):
        check_form("http://example.com/", livemode=False)
        with pytest.raises(InvalidUrl):
            check_form("http://example.com/", livemode=True)

    def test_takes_what_a_developer_allowed(self, settings):
        settings.WEBHOOK_ALLOW_HOSTS = ["localhost", "127.0.0.1:4242"]

        check_form("http://localhost:9/", livemode=False)
        check_form("http://127.0.0.1:4242/", livemode=False)
        for url in ("http://127.0.0.1:4243/", "http://127.0.0.1/", "http://sub.localhost/"):
            with pytest.raises(InvalidUrl):
                check_form(url, livemode=False)

    def test_allows_no_plain_http_in_live_mode_even_so(self, settings):
        settings.WEBHOOK_ALLOW_HOSTS = ["localhost"]

        with pytest.raises(InvalidUrl):
            check_form("http://localhost/", livemode=True)


class TestRead:
    def test_gives_what_is_connected_to(self):
        assert read("https://Example.com/a?b=c") == addresses.Target("https", "example.com", 443, "/a?b=c")
        assert read("http://example.com:8080").path == "/"

    def test_names_the_port_where_it_is_not_the_usual_one(self):
        assert read("https://example.com:443/").authority == "example.com"
        assert read("https://example.com:8443/").authority == "example.com:8443"
