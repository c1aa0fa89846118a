"""What staff type about products and prices; money in major units, as people write it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant_platform.kernel import money
from merchant_platform.kernel.api.params import AMOUNT_MAX
from merchant_platform.kernel.web import uploads
from payments.catalog import pictures
from payments.catalog.models import Product
from security.web.forms import DeskForm

# Why an amount was refused, in words; {currency}, {step} and {example} are filled in.
AMOUNT_WORDS: dict[str, Any] = {
    "unreadable": gettext_lazy("Write an amount such as {example}, with a point before the decimals."),
    "decimals": gettext_lazy("{currency} has fewer decimals. Write an amount such as {example}."),
    "step": gettext_lazy("{currency} is paid in steps of {step}."),
    "too_large": gettext_lazy("This amount is too large: {most} at the most."),
}
IMAGES_MAX, URL_LENGTH_MAX = 8, 2048
PICTURE_BYTES_MAX, PICTURE_SIDE_MAX = 4 * 1024 * 1024, 640
# Why a picture was refused.
PICTURE_WORDS: dict[str, Any] = {
    "too_large": gettext_lazy("The picture is larger than 4 MB."),
    "wrong_name": gettext_lazy("Choose a file whose name ends in .png, .jpg or .webp."),
    "not_a_picture": gettext_lazy("This is no picture that can be read."),
    "too_many_pixels": gettext_lazy(
        "The picture has too many pixels. Choose a photo (JPEG) of up to 25 million, or another of up to 4."
    ),
    "animated": gettext_lazy("The picture moves. Choose a still one."),
}
TAXES = (
    ("unspecified", gettext_lazy("Not said")),
    ("inclusive", gettext_lazy("Included in the price")),
    ("exclusive", gettext_lazy("Added to the price")),
)


def amount_words(reason: str, currency: str) -> str:
    """Why an amount in a currency was refused."""
    example = money.to_type(money.step(currency) * 1_250 if money.exponent(currency) else 1_250, currency)
    step = money.to_type(money.step(currency), currency)
    most = money.to_type(AMOUNT_MAX, currency)
    return str(AMOUNT_WORDS[reason]).format(currency=currency, example=example, step=step, most=most)


def read_amount(text: str, currency: str) -> int:
    """The minor units of what was typed. Raises ValidationError."""
    try:
        amount_minor = money.typed(text, currency)
        if amount_minor > AMOUNT_MAX:
            raise money.NotAnAmount("too_large")
    except money.NotAnAmount as wrong:
        raise ValidationError(amount_words(wrong.reason, currency)) from wrong
    return amount_minor


def currency_choices(first: str) -> list[tuple[str, str]]:
    """Every currency, the merchant's first."""
    return [(code, code) for code in (first, *sorted(money.currencies() - {first}))]


class ProductForm(DeskForm):
    """A product. The lengths are the API's."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=250)
    category = forms.CharField(
        label=gettext_lazy("Category"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Reports add up by it."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=5000,
        required=False,
        help_text=gettext_lazy("Customers read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    cost = forms.CharField(
        max_length=30, required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "input"})
    )
    unit_label = forms.CharField(
        label=gettext_lazy("Unit"), max_length=12, required=False, help_text=gettext_lazy("Such as cup or 250 g.")
    )
    statement_descriptor = forms.CharField(label=gettext_lazy("On card statements"), max_length=22, required=False)
    url = forms.URLField(
        label=gettext_lazy("Web page"),
        max_length=URL_LENGTH_MAX,
        required=False,
        assume_scheme="https",
        error_messages={"invalid": gettext_lazy("This is no web address.")},
    )
    picture = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        help_text=gettext_lazy("PNG, JPEG or WebP, up to 4 MB. Customers see it when they pay."),
        widget=forms.FileInput(attrs={"accept": ".png,.jpg,.jpeg,.webp"}),
        error_messages={"empty": gettext_lazy("This is no picture that can be read.")},
    )
    images = forms.CharField(
        label=gettext_lazy("Addresses of pictures"),
        max_length=IMAGES_MAX * (URL_LENGTH_MAX + 2),
        required=False,
        help_text=gettext_lazy("One a line, up to eight."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, currency: str, product: Product | None = None, **options: Any) -> None:
        self.currency = currency
        if product is not None:
            cost = product.cost_minor
            options["initial"] = {
                **{
                    name: getattr(product, name) or ""
                    for name in ("name", "category", "description", "unit_label", "statement_descriptor", "url")
                },
                "cost": "" if cost is None else money.to_type(cost, currency),
                "images": "\n".join(product.images),
            }
        super().__init__(*args, **options)
        self.fields["cost"].label = _("What one costs you, in {currency}").format(currency=currency)
        self.fields["cost"].help_text = _("Profit is reckoned with it. Customers never see it.")

    def clean_cost(self) -> int | None:
        text = self.cleaned_data["cost"]
        return read_amount(text, self.currency) if text else None

    def clean_picture(self) -> bytes | None:
        file = self.cleaned_data["picture"]
        if file is None:
            return None
        try:
            return uploads.picture(file, bytes_max=PICTURE_BYTES_MAX, side_max=PICTURE_SIDE_MAX)
        except uploads.Unfit as unfit:
            raise ValidationError(PICTURE_WORDS[unfit.why]) from unfit

    def clean_images(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["images"].splitlines() if line.strip()]
        if len(lines) + bool(self.cleaned_data.get("picture")) > IMAGES_MAX:
            raise ValidationError(_("Up to eight pictures."))
        check = forms.URLField(assume_scheme="https", max_length=URL_LENGTH_MAX)
        try:
            return [check.clean(line) for line in lines]
        except ValidationError as error:
            raise ValidationError(_("This is no web address.")) from error

    def columns(self) -> dict[str, Any]:
        """The product's columns of a valid form. This will keep a picture that came with it; it is the first then."""
        given = self.cleaned_data
        brought = [pictures.keep(given["picture"])] if given["picture"] else []
        return {
            "name": given["name"],
            "category": given["category"],
            "images": list(dict.fromkeys([*brought, *given["images"]])),
            "cost_minor": given["cost"],
            **{name: given[name] or None for name in ("description", "unit_label", "statement_descriptor", "url")},
        }


class NewProductForm(ProductForm):
    """A product with its first prices: rows of an amount and a currency; an empty one is none."""

    AMOUNT, CURRENCY, ROWS = "price_amount", "price_currency", 2

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, currency=currency, **options)
        self.currencies = currency_choices(currency)
        self.price_error = ""
        if isinstance(self.data, QueryDict) and self.is_bound:
            amounts, codes = self.data.getlist(self.AMOUNT), self.data.getlist(self.CURRENCY)
            self.rows = [(amount.strip(), code) for amount, code in zip(amounts, codes, strict=False)][:10]
        else:
            self.rows = [("", currency)] * self.ROWS

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        prices = []
        for text, code in self.rows:
            if not text:
                continue
            try:
                if code not in money.currencies():
                    raise ValidationError(_("Choose a currency from the list."))
                prices.append({"currency": code, "unit_amount_minor": read_amount(text, code)})
            except ValidationError as error:
                self.price_error = error.messages[0]
                self.add_error(None, error)
        if len({each["currency"] for each in prices}) != len(prices):
            self.price_error = _("Give one price a currency here; more can be added to the product later.")
            self.add_error(None, self.price_error)
        cleaned["prices"] = prices
        return cleaned


class PriceForm(DeskForm):
    """One more price of a product."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=30,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "class": "input"}),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"),
        error_messages={"invalid_choice": gettext_lazy("Choose a currency from the list.")},
    )
    nickname = forms.CharField(
        label=gettext_lazy("Name"), max_length=250, required=False, help_text=gettext_lazy("For you, such as takeaway.")
    )
    lookup_key = forms.CharField(
        label=gettext_lazy("Lookup key"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Programs find the price by it."),
    )
    tax_behavior = forms.ChoiceField(label=gettext_lazy("Tax"), choices=TAXES)

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].choices = currency_choices(currency)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "amount" in cleaned and "currency" in cleaned:
            try:
                cleaned["amount_minor"] = read_amount(cleaned["amount"], cleaned["currency"])
            except ValidationError as error:
                self.add_error("amount", error)
        return cleaned

    def columns(self) -> dict[str, Any]:
        """The price's columns of a valid form."""
        given = self.cleaned_data
        return {
            "currency": given["currency"],
            "unit_amount_minor": given["amount_minor"],
            "nickname": given["nickname"] or None,
            "lookup_key": given["lookup_key"] or None,
            "tax_behavior": given["tax_behavior"],
        }
