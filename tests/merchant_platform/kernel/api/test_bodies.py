from urllib.parse import quote_from_bytes

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_platform.kernel.api import bodies
from merchant_platform.kernel.api.bodies import MalformedBody, UnsupportedMedia
from tests.cast import encode

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def nested_form(depth: int) -> bytes:
    return b"a" + b"[a]" * (depth - 1) + b"=1"


def nested_json(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


class TestParse:
    @pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM}; charset=utf-8", "", " ;"])
    def test_reads_a_form(self, content_type):
        assert bodies.parse(b"a=1", content_type) == ({"a": "1"}, False)

    @pytest.mark.parametrize("content_type", [JSON, "Application/JSON", f"{JSON}; charset=utf-8"])
    def test_reads_json(self, content_type):
        assert bodies.parse(b'{"a": 1}', content_type) == ({"a": 1}, True)

    @pytest.mark.parametrize("content_type", ["", FORM, JSON, "text/plain", "nonsense"])
    def test_reads_nothing_as_no_parameters(self, content_type):
        assert bodies.parse(b"", content_type) == ({}, False)

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/json5"]
    )
    def test_refuses_other_media(self, content_type):
        with pytest.raises(UnsupportedMedia, match="is not supported") as refused:
            bodies.parse(b"a=1", content_type)

        assert refused.value.code == "unsupported_media_type"

    def test_repeats_no_endless_media_type(self):
        with pytest.raises(UnsupportedMedia) as refused:
            bodies.parse(b"a", "x" * 10_000)

        assert len(refused.value.message) < 300


class TestParseForm:
    @pytest.mark.parametrize(
        ("body", "parameters"),
        [
            (b"a=1&b=2", {"a": "1", "b": "2"}),
            (b"a=", {"a": ""}),
            (b"a", {"a": ""}),
            (b"&&a=1&", {"a": "1"}),
            (b"a=1=2", {"a": "1=2"}),
            (b"a=b+c%2Bd%26e", {"a": "b c+d&e"}),
            (b"%E5%90%8D=%E6%9D%8E", {"名": "李"}),
            (b"a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
            (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
            (b"a[b][0][c]=1&a[b][1][c]=2", {"a": {"b": {"0": {"c": "1"}, "1": {"c": "2"}}}}),
            (b"expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
            (b"a[b][]=1&a[b][]=2", {"a": {"b": ["1", "2"]}}),
            (b"a=%zz", {"a": "%zz"}),
        ],
    )
    def test_reads_brackets(self, body, parameters):
        assert bodies.parse_form(body) == parameters

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"a=%00", "NUL"),
            (b"%00=a", "NUL"),
            (b"a=\x00", "NUL"),
            (b"a=%ff", "UTF-8"),
            (b"%ff=a", "UTF-8"),
            (b"a=\xff", "UTF-8"),
            (b"a=%ED%A0%80", "UTF-8"),  # a lone surrogate
            (b"a=%C0%80", "UTF-8"),  # an overlong NUL
            (b"a=1&a=2", "'a' is given twice"),
            (b"a[b]=1&a[b]=2", "'b' is given twice"),
            (b"a[b]=1&a=2", "'a' is given twice"),
            (b"a=1&a[b]=2", "'a' is given in two shapes"),
            (b"a[]=1&a[b]=2", "'a' is given in two shapes"),
            (b"a[0]=1&a[]=2", "'a' is given in two shapes"),
            (b"a=1&a[]=2", "'a' is given in two shapes"),
            (b"a[=1", "Malformed parameter name: 'a['"),
            (b"a[b=1", "Malformed parameter name"),
            (b"a[b]c=1", "Malformed parameter name"),
            (b"a[b]]=1", "Malformed parameter name"),
            (b"a[[b]]=1", "Malformed parameter name"),
            (b"[a]=1", "Malformed parameter name"),
            (b"a[][b]=1", "Malformed parameter name"),
            (nested_form(9), "nested more than 8 deep"),
            (b"&".join(b"a%d=1" % n for n in range(1_001)), "More than 1000 fields"),
        ],
    )
    def test_refuses(self, body, sentence):
        with pytest.raises(MalformedBody) as refused:
            bodies.parse_form(body)

        assert sentence in refused.value.message
        assert refused.value.code == "request_malformed"

    def test_reads_up_to_its_bounds(self):
        assert len(bodies.parse_form(b"&".join(b"a%d=1" % n for n in range(1_000)))) == 1_000
        assert bodies.parse_form(nested_form(8)) == {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": "1"}}}}}}}}

    @given(
        st.recursive(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10),
            lambda inner: st.dictionaries(st.text("abc_0", min_size=1, max_size=5), inner, min_size=1, max_size=4),
            max_leaves=15,
        ).filter(lambda value: isinstance(value, dict))
    )
    def test_reads_what_an_sdk_writes(self, parameters):
        assert bodies.parse_form(encode(parameters).encode()) == parameters

    @given(st.binary(max_size=200))
    def test_refuses_or_reads_any_bytes(self, body):
        try:
            parameters = bodies.parse_form(body)
        except MalformedBody:
            return
        orjson.dumps(parameters)

    @given(st.binary(max_size=60))
    def test_reads_any_escaped_bytes_that_are_text(self, raw):
        escaped = b"a=" + quote_from_bytes(raw).encode()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = None

        if text is None or "\0" in text:
            with pytest.raises(MalformedBody):
                bodies.parse_form(escaped)
        else:
            assert bodies.parse_form(escaped) == {"a": text}


class TestParseJson:
    def test_keeps_the_types(self):
        read = bodies.parse_json(b'{"a": 1, "b": [true, null, "x", {"c": 1.5}], "d": {}}')

        assert read == {"a": 1, "b": [True, None, "x", {"c": 1.5}], "d": {}}

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"{", "not valid JSON"),
            (b"nonsense", "not valid JSON"),
            (b"a=1", "not valid JSON"),
            (b"[1]", "must be a JSON object"),
            (b'"text"', "must be a JSON object"),
            (b"null", "must be a JSON object"),
            (b'{"a": NaN}', "not valid JSON"),
            (b'{"a": Infinity}', "not valid JSON"),
            (b'{"a": "\xff"}', "not valid JSON"),
            (rb'{"a": "\ud800"}', "not valid JSON"),
            (rb'{"\udfff": 1}', "not valid JSON"),
            (rb'{"a": "\u0000"}', "NUL"),
            (rb'{"\u0000": 1}', "NUL"),
            (rb'{"a": [["\u0000"]]}', "NUL"),
            (b'{"a": 10000000000000000000}', "more than 19 digits"),
            (b'{"a": -10000000000000000000}', "more than 19 digits"),
            (b'{"a": 99999999999999999999}', "more than 19 digits"),
            (b'{"a": [{"b": 123456789012345678901234567890}]}', "more than 19 digits"),
            (b'{"a": 1e300}', "more than 19 digits"),
            (b'{"a": -1e300}', "more than 19 digits"),
            (nested_json(9), "nested more than 8 deep"),
            (b'{"a":' + b"[" * 8 + b"]" * 8 + b"}", "nested more than 8 deep"),
            (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not valid JSON"),
            (orjson.dumps({f"a{n}": 1 for n in range(1_001)}), "More than 1000 fields"),
            (orjson.dumps({"a": [1] * 1_000}), "More than 1000 fields"),
        ],
    )
    def test_refuses(self, body, sentence):
        with pytest.raises(MalformedBody) as refused:
            bodies.parse_json(body)

        assert sentence in refused.value.message

    def test_reads_up_to_its_bounds(self):
        assert bodies.parse_json(b'{"a": 9999999999999999999}') == {"a": 9_999_999_999_999_999_999}
        assert len(bodies.parse_json(orjson.dumps({f"a{n}": 1 for n in range(1_000)}))) == 1_000
        assert bodies.parse_json(nested_json(8)) == orjson.loads(nested_json(8))

    @given(st.binary(max_size=200))
    def test_refuses_or_reads_any_bytes(self, body):
        try:
            parameters = bodies.parse_json(body)
        except MalformedBody:
            return
        assert isinstance(parameters, dict)


class TestJsonKeys:
    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (b'{"amount": 1, "amount": 2}', "amount"),
            (b'{"metadata": {"a": "x", "a": "x"}}', "a"),
            (b'{"items": [{"b": 1}, {"b": 1, "c": 1, "b": 1}]}', "b"),
            (b'{"url": "https://a.example/:", "k": 1, "url": ""}', "url"),
            (b'{"\\u0061": 1, "a": 2}', "a"),
        ],
    )
    def test_are_given_once(self, body, name):
        with pytest.raises(MalformedBody, match=f"'{name}' is given twice"):
            bodies.parse_json(body)

    @pytest.mark.parametrize(
        "body",
        [
            b'{"url": "https://a.example:8000/x"}',
            b'{"a": {"a": 1}, "b": {"a": 1}}',
            b'{"a": [{"a": 1}, {"a": 1}]}',
            b'{"a:b": "\\"c\\":"}',
        ],
    )
    def test_may_stand_in_two_objects_and_colons_in_texts(self, body):
        assert bodies.parse_json(body) == orjson.loads(body)

    @given(st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.text(max_size=5), max_size=6))
    def test_are_never_refused_where_they_differ(self, value):
        body = orjson.dumps(value)

        if "\0" not in body.decode() and b"\\u0000" not in body:
            assert bodies.parse_json(body) == value
