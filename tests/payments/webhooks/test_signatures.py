"""Signatures and secrets: published vectors, both verifiers, and nothing readable at rest."""

import base64
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag

from payments.webhooks import secrets, signatures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
AT = 1_614_265_330


class TestHeaders:
    @pytest.mark.requirement("A40")
    def test_are_those_of_the_published_vector(self):
        found = signatures.headers(event_id=EVENT, body=BODY, secrets=[SECRET], timestamp=AT)

        assert found["webhook-id"] == EVENT
        assert found["webhook-timestamp"] == "1614265330"
        assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_have_a_signature_a_secret_the_new_one_first(self):
        other = secrets.new()

        found = signatures.headers(event_id=EVENT, body=BODY, secrets=[other, SECRET], timestamp=AT)

        new, old = found["webhook-signature"].split(" ")
        assert old == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        assert new != old
        assert found["Stripe-Signature"] == (
            f"t={AT},v1={signatures.stripe(other, BODY, AT)},v1={signatures.stripe(SECRET, BODY, AT)}"
        )


class TestSecrets:
    def test_are_new_each_time_and_read_by_both_ecosystems(self):
        made = {secrets.new() for _ in range(50)}

        assert len(made) == 50
        for secret in made:
            assert secret.startswith("whsec_")
            assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 24

    def test_come_back_from_their_seal(self):
        endpoint = uuid4()

        sealed = secrets.seal(SECRET, endpoint_id=endpoint)

        assert SECRET not in sealed
        assert b"MfKQ9r8G" not in base64.b64decode(sealed)
        assert secrets.unseal(sealed, endpoint_id=endpoint) == SECRET
        assert secrets.seal(SECRET, endpoint_id=endpoint) != sealed

    def test_stay_sealed_for_another_endpoint_and_under_another_key(self, settings):
        endpoint = uuid4()
        sealed = secrets.seal(SECRET, endpoint_id=endpoint)

        with pytest.raises(InvalidTag):
            secrets.unseal(sealed, endpoint_id=uuid4())
        settings.SECRET_KEY = "another"
        with pytest.raises(InvalidTag):
            secrets.unseal(sealed, endpoint_id=endpoint)
