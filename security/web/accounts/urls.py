"""/accounts/: sign-in for all, and what a person keeps of their own login."""

from allauth.account.views import verify_phone
from django.urls import include, path

from security.web.accounts import phones, stepping, views

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
    path("login/code/confirm/", phones.ConfirmLoginCodeView.as_view()),
    # allauth has these addresses only where a number is asked for at sign-up.
    path("phone/change/", phones.ChangePhoneView.as_view(), name="account_change_phone"),
    path("phone/verify/", verify_phone, name="account_verify_phone"),
    path("phone/remove/", phones.remove, name="phone_remove"),
    path("", include("allauth.urls")),
]
