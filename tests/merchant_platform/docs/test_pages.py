"""The pages that anybody may read, in both languages. No test here is given a database: a page asks it nothing."""

import re
from urllib.parse import urlsplit

import pytest
from django.test import Client

from merchant_platform.docs import error_codes
from tests.merchant_platform.docs.reading import Page

PAGES = ["/", "/docs", "/docs?in=python", "/docs/errors", "/docs/errors?q=402", "/docs/errors/insufficient_funds"]
# Bytes of HTML, before compression.
WEIGHT_MAX = {"/": 10_000, "/docs": 72_000, "/docs/errors": 40_000}
LATIN_SENTENCE = re.compile(r"[A-Za-z’']+(?:[ ,]+[A-Za-z’']+){2,}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
MARKS_LEFT_OVER = re.compile(r"%\(|\{[{%]|[%}]\}|`")


def get(address, *, language="en", status=200):
    response = Client().get(address, headers={"Accept-Language": language})
    assert response.status_code == status
    return response


def read(address, *, language="en", status=200):
    return Page(get(address, language=language, status=status).content.decode())


@pytest.fixture(params=PAGES)
def page(request, language):
    return read(request.param, language=language)


class TestEveryPage:
    def test_says_its_language(self, page, language):
        assert page.one("html")["lang"] == language

    def test_has_one_heading_and_a_title_of_its_own(self, page):
        assert page.one("h1").text.strip()
        assert page.one("title").text.strip(" ·").count("·") == 1

    def test_says_nothing_in_the_other_language(self, page, language):
        foreign = LATIN_SENTENCE if language == "zh-hans" else CHINESE

        assert [words for words in page.our_words() if foreign.search(words)] == []

    def test_leaves_no_marks_of_templates_or_texts(self, page):
        assert [words for words in page.our_words() if MARKS_LEFT_OVER.search(words)] == []

    def test_has_nothing_inline(self, page):
        assert page.all("style") == []
        assert [element for element in page.elements if "style" in element] == []
        assert [element for element in page.elements for name in element.attributes if name.startswith("on")] == []
        assert [script.text for script in page.all("script")] == [""] * len(page.all("script"))

    def test_loads_from_this_host_alone_and_finds_all_of_it(self, page):
        loaded = [link["href"] for link in page.all("link")] + [each["src"] for each in page.all("script", "img")]

        assert all(address.startswith("/static/") for address in loaded)
        assert {address: Client().get(address).status_code for address in loaded} == dict.fromkeys(loaded, 200)

    def test_links_to_what_exists(self, page):
        for link in page.all("a"):
            address = urlsplit(link["href"])
            if address.path == "/readyz":  # Asks the database, which this test has not.
                continue
            target = page if not address.path else read(address.path) if address.path != "/v1/schema" else None
            if target is None:
                get(address.path)
            elif address.fragment:
                assert address.fragment in {element["id"] for element in target.elements if "id" in element}

    def test_names_each_id_once_and_each_field(self, page):
        ids = [element["id"] for element in page.elements if "id" in element]
        labelled = {label["for"] for label in page.all("label")}

        assert len(ids) == len(set(ids))
        assert [field for field in page.all("input") if field["type"] != "hidden" and field["id"] not in labelled] == []

    def test_begins_with_a_way_past_the_navigation(self, page):
        assert page.all("a")[0]["href"] == "#main"
        assert page.one("main")["id"] == "main"

    def test_has_at_most_one_primary_action(self, page):
        assert (
            len([element for element in page.elements if "button-primary" in element.attributes.get("class", "")]) <= 1
        )

    @pytest.mark.parametrize("address", WEIGHT_MAX)
    def test_is_light(self, address, language):
        assert len(get(address, language=language).content) < WEIGHT_MAX[address]

    @pytest.mark.parametrize("address", ["/", "/docs", "/docs/errors", "/docs/errors/api_error"])
    def test_is_only_read(self, address):
        assert Client().post(address).status_code == 405
        assert Client().head(address).status_code == 200


class TestLanguage:
    @pytest.mark.parametrize(
        ("accepted", "answered"),
        [("zh-CN,zh;q=0.9", "zh-hans"), ("zh-TW", "zh-hans"), ("en-GB", "en"), ("fr,de;q=0.5", "en"), ("", "en")],
    )
    def test_is_what_the_browser_accepts(self, accepted, answered):
        assert read("/", language=accepted).one("html")["lang"] == answered

    def test_is_what_the_person_chose_before_all(self):
        client = Client(enforce_csrf_checks=True)
        shown = Page(client.get("/docs/errors?q=402").content.decode())
        form = {field["name"]: field["value"] for field in shown.all("input") if field["type"] == "hidden"}
        button = next(button for button in shown.all("button") if button.attributes.get("name") == "language")

        chosen = client.post("/language", {**form, "language": button["value"]}, headers={"Accept-Language": "en"})

        assert (button.text, button["translate"], button["lang"]) == ("简体中文", "no", "zh-hans")
        assert (chosen.status_code, chosen["Location"]) == (302, "/docs/errors?q=402")
        again = Page(client.get(chosen["Location"], headers={"Accept-Language": "en"}).content.decode())
        assert again.one("html")["lang"] == "zh-hans"
        assert [button.text for button in again.all("button") if "language" in button.attributes.values()] == [
            "English"
        ]

    def test_leads_nowhere_else(self):
        chosen = Client().post("/language", {"language": "en", "next": "https://example.com/"})

        assert chosen["Location"] == "/"

    def test_is_not_changed_by_a_form_of_somebody_else(self):
        client = Client(enforce_csrf_checks=True)

        refused = client.post("/language", {"language": "zh-hans"})

        assert refused.status_code == 403
        assert Page(refused.content.decode()).one("h1").text.strip() == "The form was not accepted"
        assert "django_language" not in client.cookies


class TestHome:
    def test_names_the_doors_that_exist(self):
        doors = [link["href"] for link in read("/").all("a") if link.attributes.get("class") == "door"]

        assert doors == ["/docs", "/docs/api"]

    def test_shows_where_the_state_of_health_is(self):
        assert "/readyz" in [link["href"] for link in read("/").all("a")]


class TestErrorList:
    def test_links_to_every_code_once(self):
        rows = [link["href"] for link in read("/docs/errors").all("a") if link.attributes.get("class") == "code-row"]

        assert rows == [f"/docs/errors/{code}" for code in error_codes.CODES]

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("mandate_expired", ["mandate_expired"]),
            ("429", ["rate_limit", "webhook_test_running"]),
            ("415", ["unsupported_media_type"]),
            ("Wallet ENOUGH", ["insufficient_funds"]),
            ("currency wallet's", []),
            ("nonsense", []),
        ],
    )
    def test_finds_codes_that_have_all_the_words(self, words, found):
        page = Page(Client().get("/docs/errors", {"q": words}).content.decode())
        rows = [link["href"].rpartition("/")[2] for link in page.all("a") if link.attributes.get("class") == "code-row"]

        assert rows == found

    def test_finds_words_of_the_reader_s_language(self):
        page = Page(Client().get("/docs/errors", {"q": "余额不足"}, headers={"Accept-Language": "zh"}).content.decode())
        rows = [link["href"] for link in page.all("a") if link.attributes.get("class") == "code-row"]

        assert rows == ["/docs/errors/insufficient_funds"]

    def test_shows_what_was_typed_as_text_and_untranslated(self):
        page = Page(Client().get("/docs/errors", {"q": "<b>x</b>"}).content.decode())
        shown = next(element for element in page.all("span") if element.text == "<b>x</b>")

        assert shown["translate"] == "no"
        assert next(field for field in page.all("input") if field["type"] == "search")["value"] == "<b>x</b>"
        assert page.all("b") == []


class TestErrorPage:
    @pytest.mark.parametrize("code", error_codes.CODES)
    def test_exists_for_every_code_in_both_languages(self, code, language):
        page = read(f"/docs/errors/{code}", language=language)
        foreign = LATIN_SENTENCE if language == "zh-hans" else CHINESE

        assert page.one("h1").text.strip()
        assert [element.text for element in page.all("code") if element.text == code] != []
        assert [words for words in page.our_words() if foreign.search(words)] == []
        assert MARKS_LEFT_OVER.search("".join(element.text for element in page.all("p", "h1"))) is None

    @pytest.mark.parametrize("code", ["no_such_code", "<script>", "INSUFFICIENT_FUNDS"])
    def test_of_an_unknown_code_is_404_with_the_list(self, code, language):
        page = read(f"/docs/errors/{code}", language=language, status=404)

        assert [element["translate"] for element in page.all("code") if element.text == code] == ["no"]
        assert page.all("script") == []
        assert len([link for link in page.all("a") if link.attributes.get("class") == "code-row"]) == len(
            error_codes.CODES
        )
