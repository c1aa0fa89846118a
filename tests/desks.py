"""Pages of staff without a browser: filled in, pressed, read. A form keeps its token, as a page that stays open does.

door = Door(signed_in(staff))
door.send("/dashboard/cafe/test/stores/new", name="Bund")
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.test import Client

from merchant_platform.kernel import clock
from security.authentication import step_up
from security.authentication.models import StepUp

TEST, LIVE = "/dashboard/cafe/test", "/dashboard/cafe"


@dataclass
class Door:
    """What one person does at his desk."""

    client: Client

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def text(self, path: str) -> str:
        """The words of a page, without its marks."""
        return words(self.client.get(path))

    def fields(self, path: str) -> dict[str, Any]:
        """The hidden fields of a page's last form: the token, and the version that was seen."""
        return hidden(self.client.get(path).content.decode())

    def send(self, path: str, *, page: str | None = None, **values: Any) -> Any:
        """Open the form of a page and send it, with its hidden fields, to the same address or to `path`."""
        return self.client.post(path, {**self.fields(page or path), **values})

    def prove(self, path: str) -> None:
        """Show a factor for what a confirm page asks, as if on the page of factors."""
        reply: Any = self.client.get(path)
        assert reply.status_code == 302, "nothing is asked here"
        demanded = StepUp.objects.filter(proved_at=None, used_at=None).latest("created_at")
        assert urlsplit(reply.url).path.startswith("/accounts/")
        step_up.prove(demanded=demanded, factor="totp", now=clock.wall())


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of all forms on a page; of two with one name, the later."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: value for name, value in found if name not in ("csrfmiddlewaretoken", "next", "theme", "language")}


def words(reply: Any) -> str:
    """What a page says, in one line."""
    html = reply.content.decode()
    main = html[html.index("<main") :] if "<main" in html else html
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())
