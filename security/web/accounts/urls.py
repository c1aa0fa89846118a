"""/accounts/: sign-in for all, and what a person keeps of their own login."""

from django.urls import include, path

from security.web.accounts import stepping, views

urlpatterns = [
    path("enrol/", views.enrol, name="enrol"),
    path("side/", views.change_side, name="side"),
    path("confirm/<str:demand>/", stepping.confirm, name="step_up"),
    path("sessions/<int:session>/end/", views.end_session, name="end_session"),
    # In front of allauth's own at the same addresses.
    path("2fa/totp/activate/", views.ActivateTOTPView.as_view()),
    path("2fa/webauthn/add/", views.AddWebAuthnView.as_view()),
    path("2fa/webauthn/login/", views.LoginWebAuthnView.as_view()),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemoveWebAuthnView.as_view()),
    path("", include("allauth.urls")),
]
