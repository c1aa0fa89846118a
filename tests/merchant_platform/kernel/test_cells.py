from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_platform.kernel import cells


class TestGuarded:
    @pytest.mark.parametrize("text", ["=1+1", "+8613800138000", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1"])
    def test_makes_a_text_of_what_could_be_a_formula(self, text):
        assert cells.guarded(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "Oolong", "1=1", "'quoted'", "乌龙"])
    def test_leaves_other_texts_alone(self, text):
        assert cells.guarded(text) == text

    @given(st.text())
    def test_is_undone(self, text):
        if not (text.startswith("'") and text[1:].startswith(cells.FORMULA_STARTS)):
            assert cells.unguarded(cells.guarded(text)) == text


class TestLine:
    def test_guards_texts_and_leaves_numbers(self):
        assert cells.line(["=1", "a,b", -5, Decimal("-1.50"), None]) == '\'=1,"a,b",-5,-1.50,\r\n'
