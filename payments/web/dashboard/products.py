"""Products and their prices: listed, added, changed, put away and taken out again."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import ids, tenancy, versions
from payments.catalog import objects, operations, pictures, queries
from payments.catalog.models import Price, Product
from payments.origin import Origin
from payments.web.dashboard.product_forms import NewProductForm, PriceForm, ProductForm
from security.audit import operations as audit
from security.audit import queries as audited
from security.web import forms, lists
from security.web.desk import Desk, desk_page
from security.web.parts import Chip, Tab

TEXT_MAX = 200
HISTORY_MAX = 10
# How a product is found in the list: on sale or put away.
TABS: dict[str, Any] = {"active": gettext_lazy("On sale"), "archived": gettext_lazy("Archived")}
forms.WORDS[operations.LookupKeyTaken] = gettext_lazy("Another price has this lookup key.")


@require_safe
@desk_page("catalog.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list, newest first or by name where a name is looked for. Nine statements."""
    tab = lists.chosen(request, "tab", TABS, "active")
    text = request.GET.get("q", "")[:TEXT_MAX].replace("\x00", "").strip()
    column = "name_key" if text else None
    with tenancy.within(desk.book.pk):
        page = lists.page(queries.products(is_active=tab == "active", text=text), request, prefix="prod", column=column)
        prices = queries.prices_of([product.pk for product in page.rows])
        tabs = [
            Tab(
                title,
                lists.query(request, tab=None if name == "active" else name),
                lists.counted(queries.products(is_active=name == "active", text=text)),
                name == tab,
            )
            for name, title in TABS.items()
        ]
    return desk.render(
        request,
        "products/list.html",
        {
            "products": [_line(product, prices[product.pk]) for product in page.rows],
            "tabs": tabs,
            "tab": tab,
            "ways": page.ways,
            "is_found": bool(text),
            "text": text,
            "chips": [Chip(_("Name"), text, lists.query(request, q=None))] if text else [],
        },
    )


@desk_page("catalog.edit")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add one, with prices."""
    form = NewProductForm(request.POST or None, request.FILES or None, currency=desk.merchant.default_currency)
    if request.method == "POST" and form.is_valid():

        def add() -> str:
            product = operations.create_priced(
                fields=form.columns(), prices=form.cleaned_data["prices"], now=desk.now, origin=_origin(desk)
            )
            return _done(desk, "product.create", product.pk)

        if done := forms.send(request, desk, form, add, words=_("The product was added.")):
            return done
    form.focus_first_error()
    return desk.render(request, "products/form.html", {"form": form, "back": desk.url("products")})


@require_safe
@desk_page("catalog.view")
def detail(request: HttpRequest, desk: Desk, product: str) -> HttpResponse:
    """All that is known of one, and its prices. Eight statements."""
    return _detail(request, desk, product, PriceForm(currency=desk.merchant.default_currency))


@desk_page("catalog.edit")
def edit(request: HttpRequest, desk: Desk, product: str) -> HttpResponse:
    """Change one: what was shown must still stand."""
    with tenancy.within(desk.book.pk):
        row = _find(product)
    seen = versions.of(objects.product(row, livemode=desk.book.livemode))
    form = ProductForm(
        request.POST or None,
        request.FILES or None,
        currency=desk.merchant.default_currency,
        product=row,
        seen=seen,
    )
    if request.method == "POST" and form.is_valid():

        def change() -> str:
            operations.update_product(
                product_id=row.pk, fields=form.columns(), now=desk.now, origin=_origin(desk), seen=form.seen
            )
            return _done(desk, "product.edit", row.pk, fields=sorted(form.changed_data))

        if done := forms.send(request, desk, form, change, words=_("The product was changed.")):
            return done
    form.focus_first_error()
    return desk.render(
        request, "products/form.html", {"form": form, "product": row, "back": desk.url("product", product=product)}
    )


@require_POST
@desk_page("catalog.edit")
def archive(request: HttpRequest, desk: Desk, product: str) -> HttpResponse:
    """Put one away, or take it out again: each undoes the other."""
    wants_active = request.POST.get("active") == "true"
    with tenancy.within(desk.book.pk):
        row = _find(product)

    def switch() -> str:
        operations.update_product(
            product_id=row.pk, fields={"is_active": wants_active}, now=desk.now, origin=_origin(desk)
        )
        return _done(desk, "product.restore" if wants_active else "product.archive", row.pk)

    words = _("The product is on sale again.") if wants_active else _("The product was archived.")
    return forms.press(request, desk, switch, back=desk.url("product", product=product), words=words)


@require_POST
@desk_page("catalog.edit")
def price_new(request: HttpRequest, desk: Desk, product: str) -> HttpResponse:
    """One more price."""
    with tenancy.within(desk.book.pk):
        row = _find(product)
    form = PriceForm(request.POST, currency=desk.merchant.default_currency)
    if form.is_valid():

        def add() -> str:
            price = operations.add_price(product_id=row.pk, fields=form.columns(), now=desk.now, origin=_origin(desk))
            return _done(desk, "price.create", row.pk, price=ids.show("price", price.pk))

        if done := forms.send(request, desk, form, add, words=_("The price was added.")):
            return done
    form.focus_first_error()
    return _detail(request, desk, product, form)


@require_POST
@desk_page("catalog.edit")
def price_change(request: HttpRequest, desk: Desk, product: str, price: str) -> HttpResponse:
    """Archive a price, restore it, or make it the product's own."""
    act = request.POST.get("act", "")
    if act not in ("archive", "restore", "default"):
        raise Http404
    with tenancy.within(desk.book.pk):
        row = _find(product)
        found = _find_price(row, price)

    def change() -> str:
        if act == "default":
            operations.update_product(
                product_id=row.pk, fields={"default_price_id": found.pk}, now=desk.now, origin=_origin(desk)
            )
        else:
            operations.update_price(
                price_id=found.pk, fields={"is_active": act == "restore"}, now=desk.now, origin=_origin(desk)
            )
        return _done(desk, f"price.{act}", row.pk, price=price)

    back = desk.url("product", product=product)
    return forms.press(request, desk, change, back=back, words=_("The price was changed."))


def _detail(request: HttpRequest, desk: Desk, shown: str, price_form: PriceForm) -> HttpResponse:
    with tenancy.within(desk.book.pk):
        product = _find(shown)
        prices = queries.prices_of([product.pk])[product.pk]
        history = list(
            audited.records(merchant_id=desk.merchant.pk, book_id=desk.book.pk, search=audited.Search(object_id=shown))[
                :HISTORY_MAX
            ]
        )
    return desk.render(
        request,
        "products/detail.html",
        {
            "product": product,
            "picture": pictures.own(product.images),
            "shown_id": shown,
            "prices": [(ids.show("price", each.pk), each) for each in prices],
            "price_form": price_form,
            "form": forms.DeskForm(),
            "history": history,
        },
    )


def _line(product: Product, prices: list[Price]) -> dict[str, Any]:
    active = [price for price in prices if price.is_active]
    own = next((price for price in active if price.pk == product.default_price_id), None)
    first = own or (active[0] if active else None)
    return {
        "id": ids.show("prod", product.pk),
        "row": product,
        "picture": pictures.own(product.images),
        "price": first,
        "more_count": len(active) - 1 if first else 0,
    }


def _find(shown: str) -> Product:
    try:
        product = queries.products().filter(pk=ids.parse("prod", shown)).first()
    except ids.MalformedId as malformed:
        raise Http404 from malformed
    if product is None:
        raise Http404
    return product


def _find_price(product: Product, shown: str) -> Price:
    found = next(
        (each for each in queries.prices_of([product.pk])[product.pk] if ids.show("price", each.pk) == shown), None
    )
    if found is None:
        raise Http404
    return found


def _origin(desk: Desk) -> Origin:
    return Origin(livemode=desk.book.livemode)


def _done(desk: Desk, action: str, product_id: Any, **detail: Any) -> str:
    shown = ids.show("prod", product_id)
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=shown,
        detail=detail,
        book_id=desk.book.pk,
        merchant_id=desk.merchant.pk,
    )
    return desk.url("product", product=shown)
