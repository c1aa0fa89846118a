from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments.api import expansions  # noqa: F401  (registers what `expand[]` can open)
        from payments.methods import authentication, decisions  # noqa: F401  (registers the rules, so that old decisions replay)
