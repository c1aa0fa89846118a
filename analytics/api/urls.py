"""Every address of this app's API."""

from analytics.api import metrics

urlpatterns = [*metrics.urlpatterns]
