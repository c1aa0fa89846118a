"""Addresses of pages that stand in other apps."""

from django.urls import NoReverseMatch

from security.web.desk import Desk


def url_of(desk: Desk, name: str, **kwargs: str) -> str:
    """The address of a page at this desk; empty where there is no such page."""
    try:
        return desk.url(name, **kwargs)
    except NoReverseMatch:
        return ""
