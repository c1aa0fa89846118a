"""The WSGI entry point that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant_platform.settings")

application = get_wsgi_application()

# What was imported stays for good: the collector need not walk it again for every few
# hundred objects that a request makes.
gc.collect()
gc.freeze()
