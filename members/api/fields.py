"""Parameters that several endpoints share."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api.params import Integer
from merchant_platform.kernel.money import PPM

_PPM_OF_PERCENT = PPM // 100


def _percent(value: Any) -> Any:
    """Parts per million of `12.5`; as a number it is read by its shortest decimals, never reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 20:
        raise PydanticCustomError("parameter_invalid", "Invalid decimal: {given}", {"given": str(value)[:100]})
    try:
        ppm = Decimal(str(value)) * _PPM_OF_PERCENT
        is_exact = ppm == ppm.to_integral_value()
    except InvalidOperation:
        raise PydanticCustomError(
            "parameter_invalid", "Invalid decimal: {given}", {"given": str(value)[:100]}
        ) from None
    if not is_exact:
        raise PydanticCustomError("parameter_invalid", "A percentage has four decimals at the most.")
    return int(ppm)


def _above_zero(value: int) -> int:
    if not 0 < value <= PPM:
        raise PydanticCustomError("parameter_invalid", "A percentage is above 0 and at most 100.")
    return value


def _positive(value: int) -> int:
    if not 1 <= value <= 2_000_000_000:
        raise PydanticCustomError("parameter_invalid_integer", "This value must be between 1 and 2000000000.")
    return value


Ppm = Annotated[
    int,
    BeforeValidator(_percent),
    AfterValidator(_above_zero),
    Field(json_schema_extra={"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]
Positive = Annotated[Integer, AfterValidator(_positive), Field(json_schema_extra={"minimum": 1})]
