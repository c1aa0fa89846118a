"""The first page of the dashboard and what belongs to it."""

from analytics.web import home, sales
from security.web.desk import dashboard_path

urlpatterns = [
    *dashboard_path("", home.page, name="home"),
    *dashboard_path("home/guide", home.guide, name="setup_guide"),
    *dashboard_path("home/<slug:chart>.csv", home.numbers, name="home_numbers"),
    *dashboard_path("sales", sales.page, name="sales"),
    *dashboard_path("sales/<slug:chart>.csv", sales.numbers, name="sales_numbers"),
]
