"""Addresses of static files: a page names some twenty, and they are the same as long as a process lives."""

from functools import cache

from django.contrib.staticfiles.storage import StaticFilesStorage


class Storage(StaticFilesStorage):
    """Django's own, which joins and quotes each address once."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.url = cache(super().url)  # type: ignore[method-assign]
