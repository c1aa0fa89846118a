"""Template tags of the dashboard: addresses in the desk's merchant and mode, and the frame around a page."""

from collections.abc import Mapping
from typing import Any

from django import template

from security.web import navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def desk_url(context: Mapping[str, Any], name: str, **kwargs: str) -> str:
    """The address of a page at this desk: `{% desk_url "payment" payment=row.id %}`."""
    return context["desk"].url(name, **kwargs)


@register.simple_tag(takes_context=True)
def may(context: Mapping[str, Any], action: str) -> bool:
    """Whether who looks may do an action here: `{% may "payment.refund" as may_refund %}`."""
    return context["desk"].may(action)


@register.simple_tag(takes_context=True)
def frame(context: Mapping[str, Any]) -> navigation.Frame:
    """The frame around the page: navigation, the other mode, the other merchants."""
    return navigation.frame(context["desk"], context["request"])
