"""Payment methods, setup intents and publishable keys."""

import pytest

from merchant_platform.kernel import tenancy
from payments.customers.models import PaymentMethod
from security.vault.models import CardToken
from tests.cast import shown
from tests.payments import books
from tests.payments.card_acts import VISA, answer_challenge, by_number, notices, paid, pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
CARD = {"number": VISA, "exp_month": 12, "exp_year": 2034, "cvc": "123"}


def make(api, **card):
    return api.post("payment_methods", {"type": "card", "card": {**CARD, **card}})


class TestPaymentMethods:
    def test_show_a_card_without_its_number(self, api):
        method = make(api).json

        assert method["type"] == "card"
        assert method["card"] == {
            "brand": "visa",
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None},
            "country": "US",
            "display_brand": "visa",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": method["card"]["fingerprint"],
            "funding": "credit",
            "generated_from": None,
            "last4": "4242",
            "networks": {"available": ["visa"], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }

    def test_of_the_same_card_have_the_same_fingerprint(self, api):
        first, second = make(api).json["card"], make(api, exp_year=2035).json["card"]

        assert first["fingerprint"] == second["fingerprint"]

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"number": "4242424242424241"}, "incorrect_number"),
            ({"number": "12"}, "incorrect_number"),
            ({"exp_month": 13}, "invalid_expiry_month"),
            ({"exp_year": 1949}, "invalid_expiry_year"),
            ({"exp_year": 2025}, "expired_card"),
            ({"cvc": "12"}, "invalid_cvc"),
        ],
    )
    def test_refuse_what_cannot_be_a_card(self, api, wrong, code):
        with books.unchanged():
            answered = make(api, **wrong)

        assert (answered.status, answered.error["type"], answered.error["code"]) == (402, "card_error", code)

    def test_are_attached_listed_and_detached(self, api, book, customer):
        method = make(api).json
        api.post(f"payment_methods/{method['id']}/attach", {"customer": shown("cus", customer)})
        listed = api.get("payment_methods", {"customer": shown("cus", customer), "type": "card"}).json["data"]
        gone = api.post(f"payment_methods/{method['id']}/detach").json

        assert [each["id"] for each in listed] == [method["id"]]
        assert gone["customer"] is None
        with tenancy.within(book.pk):
            assert CardToken.objects.get().is_destroyed
        assert pay(api, method["id"]).error["code"] == "payment_method_unexpected_state"

    def test_by_a_test_name_are_made_anew_each_time(self, api, book, customer):
        for _ in range(2):
            attached = api.post("payment_methods/pm_card_visa/attach", {"customer": shown("cus", customer)})
            assert attached.status == 200

        with tenancy.within(book.pk):
            assert PaymentMethod.objects.filter(customer=customer).count() == 2

    def test_are_a_customers_default(self, api, customer):
        method = api.post("payment_methods/pm_card_visa/attach", {"customer": shown("cus", customer)}).json

        changed = api.post(
            f"customers/{shown('cus', customer)}", {"invoice_settings": {"default_payment_method": method["id"]}}
        ).json
        api.post(f"payment_methods/{method['id']}/detach")
        after = api.get(f"customers/{shown('cus', customer)}").json

        assert changed["invoice_settings"]["default_payment_method"] == method["id"]
        assert after["invoice_settings"]["default_payment_method"] is None

    def test_of_another_merchant_do_not_exist(self, api, other_api):
        method = make(api).json

        with books.unchanged():
            assert other_api.get(f"payment_methods/{method['id']}").status == 404
            assert pay(other_api, method["id"]).error["code"] == "resource_missing"


class TestLiveMode:
    def test_keeps_no_card_and_knows_no_test_name(self, live_api):
        with books.unchanged():
            kept = make(live_api)
            named = pay(live_api)

        assert (kept.status, kept.error["code"]) == (403, "vault_off")
        assert (named.status, named.error["code"]) == (400, "resource_missing")

    def test_has_no_provider(self, live_api, settings):
        settings.VAULT_IN_LIVE = True

        with books.unchanged():
            answered = pay(live_api, None, **by_number(VISA))

        assert (answered.status, answered.error["code"]) == (400, "provider_not_configured")


class TestSetupIntents:
    def test_verify_a_card_for_later(self, api, customer, acquirer):
        setup = api.post(
            "setup_intents",
            {"customer": shown("cus", customer), "payment_method": "pm_card_visa", "confirm": True},
        )

        saved = setup.json
        later = paid(api, saved["payment_method"], customer=shown("cus", customer), off_session=True)
        assert (setup.status, saved["status"], saved["usage"]) == (200, "succeeded", "off_session")
        method = api.get(f"payment_methods/{saved['payment_method']}").json
        assert method["customer"] == shown("cus", customer)
        assert later["status"] == "succeeded"
        books.assert_agree()

    def test_challenge_once_and_then_no_more(self, api, customer, acquirer):
        setup = api.post(
            "setup_intents",
            {
                "customer": shown("cus", customer),
                "payment_method": "pm_card_authenticationRequiredOnSetup",
                "confirm": True,
                "return_url": "https://shop.example/back",
            },
        ).json
        assert setup["status"] == "requires_action"
        answer_challenge(setup)
        acquirer.wait_for_notices(1)
        notices(acquirer)

        done = api.get(f"setup_intents/{setup['id']}").json
        later = pay(api, done["payment_method"], customer=shown("cus", customer), off_session=True)
        assert done["status"] == "succeeded"
        assert (later.status, later.json["status"]) == (200, "succeeded")
        books.assert_agree()

    def test_of_a_declined_card_ask_for_another(self, api, acquirer):
        answered = api.post("setup_intents", {"payment_method": "pm_card_chargeDeclined", "confirm": True})

        setup = answered.error["setup_intent"]
        assert (answered.status, answered.error["code"]) == (402, "card_declined")
        assert (setup["status"], setup["payment_method"]) == ("requires_payment_method", None)
        again = api.post(f"setup_intents/{setup['id']}/confirm", {"payment_method": "pm_card_visa"})
        assert again.json["status"] == "succeeded"

    def test_are_listed_and_canceled(self, api, customer):
        setup = api.post("setup_intents", {"customer": shown("cus", customer)}).json
        canceled = api.post(f"setup_intents/{setup['id']}/cancel", {"cancellation_reason": "abandoned"}).json

        assert canceled["status"] == "canceled"
        assert [each["id"] for each in api.get("setup_intents").json["data"]] == [setup["id"]]
        refused = api.post(f"setup_intents/{setup['id']}/cancel")
        assert (refused.status, refused.error["code"]) == (400, "setup_intent_unexpected_state")

    def test_payment_with_setup_future_usage_attaches_the_card(self, api, customer, acquirer):
        intent = paid(api, customer=shown("cus", customer), setup_future_usage="off_session")

        method = api.get(f"payment_methods/{intent['payment_method']}").json
        assert method["customer"] == shown("cus", customer)


class TestPublishableKeys:
    @pytest.fixture
    def browser(self, api, publishable_key):
        return api.with_key(publishable_key)

    def test_make_a_card_and_confirm_one_intent(self, api, browser, acquirer):
        intent = api.post("payment_intents", {"amount": 700, "currency": "cny"}).json
        method = make(browser)
        confirmed = browser.post(
            f"payment_intents/{intent['id']}/confirm",
            {"client_secret": intent["client_secret"], "payment_method": method.json["id"]},
        )
        seen = browser.get(f"payment_intents/{intent['id']}", {"client_secret": intent["client_secret"]})

        assert (method.status, confirmed.status, confirmed.json["status"]) == (200, 200, "succeeded")
        assert seen.json["status"] == "succeeded"
        for answered in (method, confirmed, seen):
            assert answered.headers["Access-Control-Allow-Origin"] == "*"

    def test_need_the_secret(self, api, browser):
        intent = api.post("payment_intents", {"amount": 700, "currency": "cny"}).json

        with books.unchanged():
            without = browser.post(f"payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
            wrong = browser.get(f"payment_intents/{intent['id']}", {"client_secret": "pi_1_secret_2"})

        assert (without.status, without.error["param"]) == (400, "client_secret")
        assert wrong.status == 404

    def test_open_no_other_door(self, api, browser):
        with books.unchanged():
            for method, path in (
                ("GET", "payment_methods"),
                ("GET", "charges"),
                ("POST", "refunds"),
                ("POST", "payment_intents"),
                ("POST", "setup_intents"),
            ):
                answered = browser.request(method, path)
                assert answered.status == 403, path
                assert "Access-Control-Allow-Origin" not in answered.headers

    @pytest.mark.parametrize(
        ("path", "allowed"),
        [
            ("payment_methods", "POST"),
            ("payment_intents/pi_1", "GET"),
            ("payment_intents/pi_1/confirm", "POST"),
            ("setup_intents/seti_1", "GET"),
            ("setup_intents/seti_1/confirm", "POST"),
        ],
    )
    def test_are_let_in_from_other_sites(self, api, path, allowed):
        asked = api.with_key(None).request(
            "OPTIONS", path, headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        )

        assert asked.status == 204
        assert asked.headers["Access-Control-Allow-Origin"] == "*"
        assert asked.headers["Access-Control-Allow-Methods"] == allowed
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]

    @pytest.mark.parametrize("path", ["customers", "payment_intents", "refunds", "payment_intents/pi_1/capture"])
    def test_are_not_let_in_elsewhere(self, api, path):
        asked = api.with_key(None).request("OPTIONS", path, headers={"Origin": "https://shop.example"})

        assert asked.status in (401, 405)
        assert "Access-Control-Allow-Origin" not in asked.headers
