from django.contrib.admin.apps import SimpleAdminConfig


class AdminConfig(SimpleAdminConfig):
    """/admin/ with our site in the place of Django's."""

    default_site = "security.web.admin.Site"
