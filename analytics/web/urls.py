"""The first page of the dashboard and what belongs to it."""

from django.urls import path

from analytics.web import home, report_schedules, reports, sales
from security.web.desk import dashboard_path

urlpatterns = [
    *dashboard_path("", home.page, name="home"),
    *dashboard_path("home/guide", home.guide, name="setup_guide"),
    *dashboard_path("home/<slug:chart>.csv", home.numbers, name="home_numbers"),
    *dashboard_path("sales", sales.page, name="sales"),
    *dashboard_path("sales/<slug:chart>.csv", sales.numbers, name="sales_numbers"),
    *dashboard_path("reports", reports.index, name="reports"),
    *dashboard_path("reports/new", reports.new, name="report_new"),
    *dashboard_path("reports/schedules", report_schedules.index, name="report_schedules"),
    *dashboard_path("reports/schedules/new", report_schedules.new, name="report_schedule_new"),
    *dashboard_path("reports/schedules/<schedule>/act", report_schedules.act, name="report_schedule_act"),
    *dashboard_path("reports/<report>", reports.show, name="report"),
    *dashboard_path("reports/<report>/act", reports.act, name="report_act"),
    *dashboard_path("reports/<report>/file", reports.file, name="report_file"),
    path("reports/<token>", reports.take, name="report_take"),
]
