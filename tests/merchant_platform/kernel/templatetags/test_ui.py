"""Amounts, times and states as people of each language read them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils.translation import override

from merchant_platform.kernel.templatetags import ui

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 21, 16, 5, 9, tzinfo=UTC)


class TestMoney:
    @pytest.mark.parametrize(
        ("language", "amount", "currency", "shown"),
        [
            ("zh-hans", 18_600, "CNY", "¥186.00"),
            ("en", 18_600, "CNY", "CN¥186.00"),
            ("en", -120, "USD", "\u2212$1.20"),
            ("zh-hans", 1_234_567, "JPY", "JP¥1,234,567"),
            ("en", 1_230, "KWD", "KWD1.230"),
        ],
    )
    def test_is_written_by_language_and_currency(self, language, amount, currency, shown):
        with override(language):
            assert ui.money_text(amount, currency).replace("\xa0", "") == shown
            assert ui.money(amount, currency).startswith('<span class="amount">')


class TestAt:
    def test_stands_in_the_zone_it_is_told(self):
        assert ui.at(AT, SHANGHAI) == '<time datetime="2026-11-21T16:05:09+00:00">11-22 00:05</time>'
        assert ui.at(AT, SHANGHAI, "full").endswith(">2026-11-22 00:05:09</time>")


class TestBadge:
    def test_is_a_word_on_a_colour(self):
        assert ui.badge("success", "<Paid>") == '<span class="badge badge-success">&lt;Paid&gt;</span>'

    def test_knows_its_colours(self):
        with pytest.raises(ValueError, match="no badge is purple"):
            ui.badge("purple", "Paid")


class TestIcon:
    def test_is_silent_and_there(self, settings):
        sprite = (settings.BASE_DIR / "merchant_platform" / "static" / ui.SPRITE).read_text()

        drawn = ui.icon("lock")

        assert 'aria-hidden="true"' in drawn
        assert "/static/vendor/icons/sprite.svg#lock" in drawn
        assert 'id="lock"' in sprite

    def test_of_every_template_is_in_the_sprite(self, settings):
        import re

        sprite = (settings.BASE_DIR / "merchant_platform" / "static" / ui.SPRITE).read_text()
        used = {
            name
            for path in (settings.BASE_DIR / "templates").rglob("*.html")
            for name in re.findall(r'{% icon "([a-z0-9-]+)" %}', path.read_text())
        }

        assert used - set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite)) == set()

    def test_of_the_sprite_is_drawn_somewhere(self, settings):
        import re

        sprite = (settings.BASE_DIR / "merchant_platform" / "static" / ui.SPRITE).read_text()
        sources = "".join(
            path.read_text()
            for room in ("merchant_platform", "payments", "members", "analytics", "security", "templates")
            for path in (settings.BASE_DIR / room).rglob("*.*")
            if path.suffix in (".py", ".html", ".js") and "vendor" not in path.parts
        )

        unused = [
            name
            for name in re.findall(r'<symbol id="([a-z0-9-]+)"', sprite)
            if not re.search(rf"""["'#]{name}["'\s]""", sources)
        ]

        assert unused == []


class TestThemeColor:
    def test_follows_the_choice_else_the_system(self):
        page = Template('{% load ui %}{% theme_color "#fff" "#000" %}')

        assert page.render(Context({"theme": "dark"})) == '<meta name="theme-color" content="#000">'
        assert page.render(Context({"theme": ""})).count("prefers-color-scheme") == 2


class TestCopyButton:
    def test_waits_for_a_program(self):
        drawn = Template('{% load ui %}{% copy_button "000001" "Copy it" %}').render(Context())

        assert 'data-copy="000001"' in drawn
        assert 'aria-label="Copy it"' in drawn
        assert " hidden>" in drawn
