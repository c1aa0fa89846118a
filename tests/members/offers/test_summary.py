import pytest
from django.utils.translation import override

from members.offers import frames, summary
from members.offers.frames import Terms

pytestmark = pytest.mark.requirement("A29")


class TestSummary:
    @pytest.mark.parametrize(
        ("off_ppm", "english", "chinese"),
        [
            (150_000, "15% off", "85 折"),
            (200_000, "20% off", "8 折"),
            (900_000, "90% off", "1 折"),
            (910_000, "91% off", "0.9 折"),
            (125_000, "12.5% off", "8.75 折"),
            (5_000, "0.5% off", "9.95 折"),
            (999_999, "99.9999% off", "0.00001 折"),
            (1_000_000, "free", "免费"),
        ],
    )
    def test_counts_a_discount_as_the_language_does(self, off_ppm, english, chinese):
        said = {}
        for language in ("en", "zh-hans"):
            with override(language):
                said[language] = summary.summary(Terms("Spring", frames.PERCENT, {"off_ppm": off_ppm}))

        assert said == {"en": english, "zh-hans": chinese}

    @pytest.mark.parametrize(
        ("language", "expected"), [("en", "buy 2, get 1 at 40% off"), ("zh-hans", "买 2 件，另 1 件 6 折")]
    )
    def test_counts_what_comes_with_a_purchase_alike(self, language, expected):
        effect = {"buy": 2, "get": 1, "off_ppm": 400_000}

        with override(language):
            assert summary.summary(Terms("Spring", frames.BUY_GET, effect)) == expected
