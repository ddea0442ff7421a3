"""The application that the web server loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()

# What has been loaded stays for good: the collector need not walk it again and again while requests wait.
gc.collect()
gc.freeze()
