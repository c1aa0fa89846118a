from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "members"

    def ready(self) -> None:
        from members.api import expansions  # noqa: F401  (registers what `expand[]` can open)
        from members.offers import why  # noqa: F401  (registers the rule of prices, so that old decisions replay)
