"""A login. It holds no business data: what a person may do is Staff's, what a person owns is Consumer's."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from merchant_platform.kernel import clock, ids, privacy


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A new login. The e-mail address is its name, in lower case."""
        user = self.model(email=self.normalize(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=self.normalize(username or ""))

    @staticmethod
    def normalize(email: str) -> str:
        return email.strip().lower()


def new_id():
    """A user is made at the world's time."""
    return ids.new(clock.wall())


class User(AbstractBaseUser):
    id_prefix = "usr"
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.TextField(default="", blank=True)
    # Operators run the platform and stand outside any merchant.
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.wall)

    objects = UserManager()

    USERNAME_FIELD = "email"

    privacy = privacy.classes(
        opaque="id is_operator is_active created_at last_login", personal="email name", secret="password"
    )

    def __str__(self) -> str:
        return self.email
