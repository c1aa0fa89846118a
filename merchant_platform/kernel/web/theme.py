"""Light or dark: a person's choice in a cookie, else what the system prefers."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

COOKIE = "theme"
LIGHT, DARK = "light", "dark"
# A choice is kept as long as that of the language is.
AGE_SECONDS = 365 * 24 * 3600


def theme(request: HttpRequest) -> dict[str, str]:
    """For templates: `theme` is light, dark, or empty where nobody chose."""
    chosen = request.COOKIES.get(COOKIE, "")
    return {"theme": chosen if chosen in (LIGHT, DARK) else ""}


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep a choice, or forget it where the system is to decide, and go back to the page that was shown."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("theme", "")
    if chosen in (LIGHT, DARK):
        response.set_cookie(
            COOKIE, chosen, max_age=AGE_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure()
        )
    else:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response
