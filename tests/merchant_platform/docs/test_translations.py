"""Every text has its words in every language, and what is compiled is what is written."""

import re

import pytest
from django.utils.translation import gettext, override

from merchant_platform.kernel.decisions import rules
from merchant_platform.management.commands import messages

# What a translation must not lose: places for values, code, markup.
FIXED = re.compile(r"%\(\w+\)s|\{\w+\}|`[^`]+`|<[^>]+>|https?://\S+")


def identifiers(catalogue):
    return {(message.id, message.context) for message in catalogue if message.id}


def forms(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


@pytest.fixture(params=messages.catalogues(), ids=lambda path: path.parent.parent.name)
def path(request):
    return request.param


class TestCatalogue:
    def test_has_every_text_of_code_and_templates_and_no_other(self, path):
        assert identifiers(messages.load(path)) == identifiers(messages.collect()), "run `manage.py messages`"

    def test_has_words_for_all_of_them(self, path):
        open_ = [message.id for message in messages.load(path) if message.id and not messages.is_translated(message)]

        assert open_ == []

    def test_keeps_places_and_markup(self, path):
        changed = [
            message.id
            for message in messages.load(path)
            if message.id
            and any(
                sorted(FIXED.findall(form))
                != sorted(FIXED.findall(message.id if isinstance(message.id, str) else message.id[1]))
                for form in forms(message)
            )
        ]

        assert changed == []

    def test_is_compiled(self, path):
        assert path.with_suffix(".mo").read_bytes() == messages.mo(messages.load(path)), "run `manage.py messages`"

    def test_is_written_as_the_command_writes_it(self, path):
        assert path.read_bytes() == messages.po(messages.load(path)), "run `manage.py messages`"


class TestCollect:
    def test_reads_templates_and_lazy_texts_of_code(self):
        found = {message.id for message in messages.collect() if message.id}

        assert "Skip to the content" in found
        assert "Take wallet payments on a server of your own" in found
        assert "The wallet did not hold enough. Nothing was charged." in found

    def test_reads_the_words_of_decisions(self):
        found = {message.id for message in messages.collect() if message.id}

        with override(None):
            spoken = {
                _source(words)
                for each in rules._wordings.values()
                for words in (each.customer, each.cashier, each.merchant)
            }
        assert spoken - found == set()


def _source(words):
    """A lazy text as it stands in the code; one that counts is its two forms."""
    said = words.__reduce__()[1][-1]
    return (said["singular"], said["plural"]) if isinstance(said, dict) else str(words)


class TestLanguages:
    def test_speak_from_the_compiled_catalogue(self):
        with override("zh-hans"):
            assert gettext("Skip to the content") == "跳到正文"
        with override("en"):
            assert gettext("Skip to the content") == "Skip to the content"

    def test_explain_a_decline(self):
        reason = rules.Reason("currency_mismatch", {"wallet": "CNY", "payment": "USD"})

        with override("zh-hans"):
            assert rules.explain(reason, audience="merchant") == "钱包里是 CNY，这笔付款使用 USD。"
