"""Light or dark: chosen without a program, kept in a cookie, leading nowhere else."""

from django.test import Client

from tests.merchant_platform.docs.reading import Page


def page(client):
    return Page(client.get("/docs/errors").content.decode())


def dark_sheet(read):
    return [link.attributes.get("media", "all") for link in read.all("link") if link["href"].endswith("css/dark.css")]


class TestTheme:
    def test_is_the_systems_where_nobody_chose(self):
        read = page(Client())

        assert dark_sheet(read) == ["screen and (prefers-color-scheme: dark)"]
        assert "data-theme" not in read.one("html")

    def test_is_what_was_chosen_until_it_is_given_up(self):
        client = Client()

        client.post("/theme", {"theme": "dark"})
        dark = page(client)
        client.post("/theme", {"theme": "light"})
        light = page(client)
        client.post("/theme", {"theme": "system"})

        assert (dark_sheet(dark), dark.one("html")["data-theme"]) == (["screen"], "dark")
        assert (dark_sheet(light), light.one("html")["data-theme"]) == ([], "light")
        assert dark_sheet(page(client)) == ["screen and (prefers-color-scheme: dark)"]

    def test_ignores_a_cookie_that_it_never_wrote(self):
        client = Client()
        client.cookies["theme"] = '"><script>'

        assert "data-theme" not in page(client).one("html")

    def test_leads_nowhere_else(self):
        chosen = Client().post("/theme", {"theme": "dark", "next": "https://example.com/"})

        assert chosen["Location"] == "/"

    def test_is_not_changed_by_a_form_of_somebody_else(self):
        assert Client(enforce_csrf_checks=True).post("/theme", {"theme": "dark"}).status_code == 403
