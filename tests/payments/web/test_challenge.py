"""The page of a test card's issuer: what it shows, what it does, and that the browser learns nothing."""

import re

import pytest
from django.test import Client

from payments.providers import port
from tests.payments.providers.sandbox.asking import question

pytestmark = pytest.mark.requirement("A40")

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def asked():
    return question("4000000000003220", amount_minor=123_456, return_url="https://shop.example/back?order=7")


@pytest.fixture
def address(acquirer, asked):
    """The page's path."""
    return "/sandbox" + port.find("sandbox").authorise(asked).challenge_url.partition("/sandbox")[2]


def get(address, language="en"):
    return Client().get(address, headers={"Accept-Language": language})


def choose(address, choice):
    return Client(enforce_csrf_checks=True).post(address, {"choice": choice})


class TestPage:
    def test_shows_amount_and_payee_first(self, address):
        page = get(address).content.decode()
        heading = re.search(r"<h1>(.*?)</h1>", page, re.S)[1]

        assert "CN¥1,234.56" in heading
        assert "Café Moka" in heading
        assert "Card ending in 3220" in page
        assert re.findall(r'name="choice" value="(\w+)"', page) == ["approve", "refuse", "cannot"]

    def test_speaks_chinese(self, address):
        page = get(address, "zh-CN").content.decode()

        assert 'lang="zh-hans"' in page
        assert "¥1,234.56" in page
        buttons = re.findall(r"<button[^>]*>(.*?)</button>", page)
        assert len(buttons) == 3
        assert all(CHINESE.search(words) for words in buttons)

    def test_says_of_a_verification_that_nothing_is_paid(self, acquirer):
        report = port.find("sandbox").authorise(question("4000000000003220", amount_minor=0, captures=False))
        page = get("/sandbox" + report.challenge_url.partition("/sandbox")[2]).content.decode()

        assert "Save your card with" in page
        assert "0.00" not in page

    def test_works_without_scripts_and_has_nothing_inline(self, address):
        page = get(address).content.decode()

        assert "<script" not in page
        assert "style=" not in page

    def test_is_kept_by_nobody_and_framed_by_nobody(self, address):
        response = get(address)

        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Content-Security-Policy"] == (
            "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https://shop.example"
        )

    @pytest.mark.parametrize(
        ("back", "origin"),
        [
            ("https://咖啡.example:8443/回?x=1", " https://xn--bur6r.example:8443"),
            ("https://shop.example; frame-ancestors *", ""),
            ("https://shop.example;script-src", ""),
            ("https://shop\u202e.example", ""),
            ("", ""),
        ],
    )
    def test_says_in_its_policy_where_the_payer_goes_back_to_and_nothing_else(self, acquirer, back, origin):
        report = port.find("sandbox").authorise(question("4000000000003220", return_url=back))

        policy = get("/sandbox" + report.challenge_url.partition("/sandbox")[2])["Content-Security-Policy"]

        assert policy == f"default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{origin}"


class TestChoice:
    @pytest.mark.parametrize(
        ("choice", "status"), [("approve", "captured"), ("refuse", "declined"), ("cannot", "declined")]
    )
    def test_sends_the_payer_back_with_no_result(self, address, asked, choice, status):
        response = choose(address, choice)

        assert (response.status_code, response["Location"]) == (303, asked.return_url)
        assert port.find("sandbox").query(key=asked.key, account=asked.account).status == status

    def test_counts_once(self, address, asked):
        choose(address, "refuse")

        again = choose(address, "approve")

        assert again.status_code == 410
        assert get(address).status_code == 410
        assert port.find("sandbox").query(key=asked.key, account=asked.account).status == "declined"

    def test_of_something_else_is_asked_again(self, address, asked):
        assert choose(address, "maybe").status_code == 200
        assert port.find("sandbox").query(key=asked.key, account=asked.account).status == "challenge"

    @pytest.mark.parametrize("token", ["x", "x" * 500])
    def test_by_an_unknown_token_finds_nothing(self, acquirer, token):
        assert choose(f"/sandbox/challenge/{token}", "approve").status_code == 410

    @pytest.mark.parametrize("language", ["en", "zh-CN"])
    def test_is_lost_on_nobody_where_the_acquirer_is_silent(self, address, asked, acquirer, caplog, language):
        acquirer.fail("reset_before_commit", operation="answer_challenge")

        response = Client(headers={"Accept-Language": language}).post(address, {"choice": "approve"})

        assert response.status_code == 503
        assert (CHINESE.search(response.content.decode().partition("<h1>")[2]) is not None) is (language == "zh-CN")
        assert address not in caplog.text
        assert choose(address, "approve").status_code == 303
        assert port.find("sandbox").query(key=asked.key, account=asked.account).status == "captured"
