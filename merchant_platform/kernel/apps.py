from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "merchant_platform.kernel"
    label = "kernel"

    def ready(self) -> None:
        from merchant_platform.kernel import privacy  # noqa: F401  (registers the system check)
