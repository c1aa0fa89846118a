"""Try an endpoint: send it duplicates, late, reordered and tampered events, and show what it answered."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.web.dashboard.deliveries import OUTCOMES
from payments.web.dashboard.endpoints import MANAGE, find, said, shown
from payments.webhooks import operations as webhooks
from payments.webhooks import tester
from payments.webhooks.tester import Result
from security.web.deeds import note
from security.web.desk import Desk, desk_page

# What each case is, and how an endpoint gets it right.
CASES: dict[str, tuple[Any, Any, Any]] = {
    "genuine": (
        _("A genuine event"),
        _("Signed with the secret of this endpoint, now."),
        _("Verify the signature, then answer 2xx before you do anything that takes long."),
    ),
    "duplicate": (
        _("The same event twice"),
        _("The same id, twice: a time-out on the way made us send it again."),
        _("Answer 2xx both times and act once: remember the ids that you have seen."),
    ),
    "late": (
        _("A late event"),
        _("It happened days ago; its signature is of now, as with a last retry."),
        _("Answer 2xx. Check the age of the signature, not of the event."),
    ),
    "reordered": (
        _("Two events in the wrong order"),
        _("The later one comes first."),
        _("Answer 2xx to both. Where the present state matters, ask the API for the object."),
    ),
    "tampered": (
        _("A tampered event"),
        _("Somebody changed a byte of the body after it was signed."),
        _("Refuse it with 400: compute the signature over the bytes that came in, before any parser touches them."),
    ),
    "replayed": (
        _("An old event, recorded and played again"),
        _("A good signature, ten minutes old."),
        _("Refuse it with 400: a signature is good for five minutes."),
    ),
    "forged": (
        _("A forged event"),
        _("Signed, but with another secret."),
        _("Refuse it with 400: compare with your secret, in constant time."),
    ),
    "unsigned": (
        _("An event without a signature"),
        _("Anybody can send this."),
        _("Refuse it with 400: no signature, no belief."),
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def try_endpoint(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """What is going to be sent; after POST, what was answered. No transaction is open while requests are under way."""
    results: list[Result] = []
    try:
        with tenancy.within(desk.book.pk):
            endpoint = find(webhook)
            if request.method == "POST":
                endpoint = webhooks.begin_test(endpoint_id=endpoint.pk, now=clock.wall())
                note(desk, "webhook.test", webhook)
    except PlatformError as error:
        messages.error(request, said(error))
        return HttpResponseRedirect(desk.url("webhook_test", webhook=webhook))
    if request.method == "POST":
        results = tester.run(endpoint=endpoint, livemode=desk.book.livemode, now=clock.wall())
    context = {
        "endpoint": shown(endpoint),
        "cases": [_case(name, None) for name in CASES] if not results else [_case(each.name, each) for each in results],
        "results": results,
        "good_count": sum(each.is_good for each in results),
        "seconds": int(webhooks.TEST_PAUSE.total_seconds()),
    }
    return desk.render(request, "developers/webhook_test.html", context)


def _case(name: str, result: Result | None) -> dict[str, Any]:
    title, what, how = CASES[name]
    replies = [
        {"reply": reply, "outcome": OUTCOMES.get(reply.outcome, reply.outcome)}
        for reply in (result.replies if result else ())
    ]
    return {
        "title": title,
        "what": what,
        "how": how,
        "result": result,
        "replies": replies,
        "refuses": name in tester.REFUSED,
    }
