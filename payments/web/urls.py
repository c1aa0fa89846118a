"""The pages and inbound doors of payments."""

from django.urls import path

from payments.web import challenge, hooks

urlpatterns = [
    path("hooks/<slug:provider>/<slug:account>", hooks.receive, name="hook"),
    path("sandbox/challenge/<str:token>", challenge.show, name="sandbox_challenge"),
]
