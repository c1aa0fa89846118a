"""From the id of an object to its page on the dashboard, where it has one."""

from django.urls import NoReverseMatch

from security.web.desk import Desk

# The prefix of an id to the route that shows it, and what that calls the id.
ROUTES = {
    "cus": ("customer", "customer"),
    "evt": ("event", "event"),
    "key": ("key", "key"),
    "pi": ("payment", "payment"),
    "prod": ("product", "product"),
    "req": ("request", "request_id"),
    "we": ("webhook", "webhook"),
}


def url_of(desk: Desk, shown: str) -> str:
    """The page of an object, empty where nobody made one."""
    route = ROUTES.get(shown.partition("_")[0])
    if route is None:
        return ""
    try:
        name, part = route
        return desk.url(name, **{part: shown})
    except NoReverseMatch:
        return ""
