"""/accounts/: sign-in for all, and what a person keeps of their own login."""

from django.urls import include, path

urlpatterns = [
    path("", include("allauth.urls")),
]
