"""Why a fee is what it is: pure sums over what the charge stored when it was made."""

from dataclasses import dataclass
from decimal import Decimal

from merchant_platform.kernel.money import PPM
from payments.pricing import fees

EXACT, UP, DOWN, EVEN = "exact", "up", "down", "even"


@dataclass(frozen=True, slots=True)
class FeeWhy:
    """A charge's fee taken apart: the rate of its plan, what that comes to, and how it was rounded."""

    method: str
    captured_minor: int
    rate_ppm: int
    fee_minor: int
    # What refunds that stand gave back, of the amount and of the fee.
    refunded_minor: int
    returned_minor: int

    @property
    def percent(self) -> str:
        """The rate as a percentage without idle zeros: `0.38`."""
        return format((Decimal(self.rate_ppm) / 10_000).normalize(), "f")

    @property
    def unrounded_minor(self) -> Decimal:
        """What the rate alone comes to, in minor units."""
        return Decimal(self.captured_minor) * self.rate_ppm / PPM

    @property
    def rounding(self) -> str:
        """Which way it went to a whole minor unit; `even` is a half, which goes to the even neighbour."""
        rest = self.unrounded_minor % 1
        if not rest:
            return EXACT
        if rest == Decimal("0.5"):
            return EVEN
        return UP if rest > Decimal("0.5") else DOWN

    @property
    def agrees(self) -> bool:
        """Whether the sum, done again, gives the stored fee."""
        return fees.fee(self.captured_minor, self.rate_ppm) == self.fee_minor

    @property
    def fee_back_minor(self) -> int:
        """The fee as what it does to the merchant's balance."""
        return -self.fee_minor

    @property
    def refunded_back_minor(self) -> int:
        """What was refunded, as what it does to the merchant's balance."""
        return -self.refunded_minor

    @property
    def net_minor(self) -> int:
        """What the merchant keeps: the amount less the fee, less what was refunded, with the fee's share of that."""
        return self.captured_minor - self.fee_minor - self.refunded_minor + self.returned_minor
