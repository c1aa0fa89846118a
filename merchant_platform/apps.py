from django.apps import AppConfig


class MerchantPlatformConfig(AppConfig):
    name = "merchant_platform"

    def ready(self) -> None:
        from merchant_platform.tables import classify_framework

        classify_framework()
