"""Every address of this app's API."""

from analytics.api import metrics, reports

urlpatterns = [*metrics.urlpatterns, *reports.urlpatterns]
