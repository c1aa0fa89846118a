"""Parameters: what a request may say, as types. Unknown ones are refused, and every refusal names its parameter."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import ErrorType, no_info_after_validator_function

from merchant_platform.kernel import metadata, money
from merchant_platform.kernel.errors import Invalid

AMOUNT_MAX = 99_999_999
EXPAND_MAX, EXPAND_DEPTH = 20, 4
LIMIT_DEFAULT, LIMIT_MAX = 10, 100
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_BRACKETS = re.compile(r"\[|\]")


class InvalidParameter(Invalid):
    """A parameter is missing, unknown, or not what it should be."""


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("parameter_invalid_integer", "Invalid integer: {given}", {"given": _shown(value)})
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise PydanticCustomError("parameter_invalid_integer", "Invalid integer: {given}", {"given": _shown(value)})
        return int(value)
    return value


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise PydanticCustomError("parameter_invalid_boolean", "Invalid boolean: {given}", {"given": _shown(value)})


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def _listed(value: Any) -> Any:
    """A form's `x[0]=a&x[1]=b` is a mapping with number keys; here it becomes the list it means."""
    if isinstance(value, dict) and value and all(key.isdigit() and len(key) < 5 for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return [] if value == "" else value


def _currency(value: str) -> str:
    code = value.upper()
    if code not in money.currencies():
        raise PydanticCustomError(
            "parameter_invalid",
            "Invalid currency: {given}. Use a three-letter ISO 4217 code.",
            {"given": _shown(value)},
        )
    return code


def _amount(value: int) -> int:
    if value < 1:
        raise PydanticCustomError("parameter_invalid_integer", "This value must be greater than or equal to 1.")
    if value > AMOUNT_MAX:
        raise PydanticCustomError(
            "amount_too_large", "Amount must be no more than {maximum} minor units.", {"maximum": AMOUNT_MAX}
        )
    return value


def check_step(amount_minor: int, currency: str, *, param: str) -> None:
    """Raises InvalidParameter for an amount that the currency cannot be paid in: KWD 1.234 on the wire is 1230."""
    step = money.step(currency)
    if amount_minor % step:
        raise InvalidParameter(
            f"Amounts in {currency} must be a multiple of {step}.", code="parameter_invalid_integer", param=param
        )


def _metadata(value: dict[str, str | None]) -> dict[str, str | None]:
    if value == metadata.DELETE_ALL:
        return value
    if len(value) > metadata.KEYS_MAX:
        raise PydanticCustomError("metadata_too_long", "Metadata can have up to {n} keys.", {"n": metadata.KEYS_MAX})
    for key, item in value.items():
        if not key or len(key) > metadata.KEY_LENGTH or _BRACKETS.search(key):
            raise PydanticCustomError(
                "metadata_key_invalid",
                "Metadata keys have 1 to {n} characters and no square brackets.",
                {"n": metadata.KEY_LENGTH},
            )
        if item and len(item) > metadata.VALUE_LENGTH:
            raise PydanticCustomError(
                "metadata_too_long", "Metadata values have up to {n} characters.", {"n": metadata.VALUE_LENGTH}
            )
    return value


def _expand(value: list[str]) -> list[str]:
    if len(value) > EXPAND_MAX:
        raise PydanticCustomError("parameter_invalid", "You can expand up to {n} properties.", {"n": EXPAND_MAX})
    for path in value:
        if path.count(".") >= EXPAND_DEPTH + (path.split(".")[0] == "data"):
            raise PydanticCustomError(
                "parameter_invalid", "You can expand up to {n} levels: {path}", {"n": EXPAND_DEPTH, "path": path[:200]}
            )
    return value


Integer = Annotated[int, BeforeValidator(_integer)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Amount = Annotated[Integer, AfterValidator(_amount), Field(json_schema_extra={"minimum": 1, "maximum": AMOUNT_MAX})]
Currency = Annotated[str, AfterValidator(_currency), Field(json_schema_extra={"pattern": "^[A-Za-z]{3}$"})]
# An empty value deletes: the key in a mapping, everything where it stands for the mapping.
Metadata = Annotated[
    dict[str, Annotated[str | None, BeforeValidator(_empty_is_none)]],
    BeforeValidator(lambda value: metadata.DELETE_ALL if value in ("", None) else value),
    AfterValidator(_metadata),
]
Expand = Annotated[list[str], BeforeValidator(_listed), AfterValidator(_expand)]

Item = TypeVar("Item")
Listed = Annotated[list[Item], BeforeValidator(_listed)]
Emptied = Annotated[Item | None, BeforeValidator(_empty_is_none)]


@dataclass(frozen=True)
class UpTo:
    """Marks text of a bounded length: `Annotated[str, UpTo(255)]`. Empty text is `parameter_invalid_empty`."""

    length_max: int

    def check(self, value: str) -> str:
        if not value:
            raise PydanticCustomError(
                "parameter_invalid_empty", "You passed an empty string. We assume empty values are an attempt to unset."
            )
        if len(value) > self.length_max:
            raise PydanticCustomError(
                "parameter_invalid", "Invalid string: it must be at most {n} characters.", {"n": self.length_max}
            )
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(schema), "minLength": 1, "maxLength": self.length_max}


# The id of another object.
Id = Annotated[str, UpTo(255)]


class Nested(BaseModel):
    """A parameter that is a mapping."""

    model_config = ConfigDict(extra="forbid")


class Params(BaseModel):
    """The parameters of an endpoint."""

    model_config = ConfigDict(extra="forbid")

    expand: Expand = []

    @classmethod
    def read(cls, data: dict[str, Any], *, is_typed: bool) -> Self:
        """Validate parameters; `is_typed` where they came as JSON. Raises InvalidParameter, for the first wrong one."""
        try:
            return cls.model_validate(data, strict=is_typed)
        except ValidationError as error:
            raise _translate(error) from error

    def given(self, *leave_out: str) -> dict[str, Any]:
        """What the request actually said, without `expand` and the named ones."""
        return {
            name: getattr(self, name) for name in self.model_fields_set if name != "expand" and name not in leave_out
        }


class Created(Nested):
    """A range of creation times, Unix seconds."""

    gt: Integer | None = None
    gte: Integer | None = None
    lt: Integer | None = None
    lte: Integer | None = None


def _created(value: Any) -> Any:
    """`created=1700000000` is that very second."""
    return {"gte": value, "lte": value} if isinstance(value, int | str) and not isinstance(value, bool) else value


def _limit(value: int) -> int:
    if not 1 <= value <= LIMIT_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 1 and {n}.", {"n": LIMIT_MAX}
        )
    return value


Limit = Annotated[Integer, AfterValidator(_limit)]


class ListParams(Params):
    """The parameters of every list."""

    limit: Limit = LIMIT_DEFAULT
    starting_after: Id | None = None
    ending_before: Id | None = None
    created: Annotated[Created | None, BeforeValidator(_created)] = None


class SearchParams(Params):
    """The parameters of every search."""

    query: Annotated[str, UpTo(1000)]
    limit: Limit = LIMIT_DEFAULT
    page: Id | None = None


_MESSAGES = {
    "missing": ("parameter_missing", "Missing required param: {param}."),
    "extra_forbidden": ("parameter_unknown", "Received unknown parameter: {param}"),
    "literal_error": ("parameter_invalid", "Invalid {param}: must be one of {expected}"),
    "string_type": ("parameter_invalid", "Invalid string: {given}"),
    "dict_type": ("parameter_invalid", "Invalid object: {param} must be a mapping."),
    "model_type": ("parameter_invalid", "Invalid object: {param} must be a mapping."),
    "model_attributes_type": ("parameter_invalid", "Invalid object: {param} must be a mapping."),
    "list_type": ("parameter_invalid", "Invalid array: {param} must be a list."),
}


_PYDANTICS_OWN = frozenset(get_args(ErrorType))
# No parameter looks like this: a form's brackets are taken apart before.
_PYDANTICS_STEP = re.compile(r"(function-(after|before|plain|wrap)|tagged-union|union|nullable)\[.*\]", re.DOTALL)


def _translate(error: ValidationError) -> InvalidParameter:
    # An unknown parameter is told first: it is most often the reason why another one is missing.
    problems = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    kind = problem["type"]
    param = _name(problem["loc"])
    if kind in _MESSAGES:
        code, message = _MESSAGES[kind]
        context = problem.get("ctx", {})
        message = message.format(param=param, given=_shown(problem["input"]), expected=context.get("expected", ""))
    elif kind not in _PYDANTICS_OWN:
        code, message = kind, problem["msg"]
    else:
        code, message = "parameter_invalid", f"Invalid {param}: {problem['msg']}"
    return InvalidParameter(message, code=code, param=param or None)


def _name(location: tuple[int | str, ...]) -> str:
    """`("items", 0, "price")` is `items[0][price]`; pydantic's own steps, as `union[int,str]`, are left out."""
    parts = [str(part) for part in location if not _PYDANTICS_STEP.fullmatch(str(part))]
    return parts[0] + "".join(f"[{part}]" for part in parts[1:]) if parts else ""


def _shown(value: Any) -> str:
    return str(value)[:100]
