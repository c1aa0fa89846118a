import pytest
import time_machine
from django.db import IntegrityError

from merchant_platform.kernel import ids
from security.identity.models import User
from tests.cast import NOW

pytestmark = pytest.mark.django_db


class TestCreateUser:
    def test_makes_a_login_named_by_its_address(self):
        with time_machine.travel(NOW, tick=False):
            user = User.objects.create_user(email="  Li@Example.COM ", password="a long secret", name="Li")

        assert (user.email, user.name, user.is_active, user.is_operator) == ("li@example.com", "Li", True, False)
        assert (user.created_at, ids.made_at(user.pk)) == (NOW, NOW)
        assert user.check_password("a long secret")
        assert "a long secret" not in user.password

    def test_without_a_password_lets_nobody_in(self):
        user = User.objects.create_user(email="li@example.com")

        assert not user.has_usable_password()
        assert not user.check_password("")

    def test_refuses_the_same_address_in_other_letters(self):
        User.objects.create_user(email="li@example.com")

        with pytest.raises(IntegrityError):
            User.objects.create_user(email="LI@example.com")

    def test_is_found_by_any_spelling(self):
        user = User.objects.create_user(email="li@example.com")

        assert User.objects.get_by_natural_key(" LI@EXAMPLE.com") == user
