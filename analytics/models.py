"""Django's register of this app's tables."""

from analytics.setup_guide.models import GuideDismissal

__all__ = ["GuideDismissal"]
