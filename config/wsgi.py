"""The application that the web server loads."""

import gc
import io
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

handle = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request, also one that comes in chunks without saying how long it is: Django would take it for empty.

    Proxies send on so what reached them over HTTP/2 without a length. A byte more than is allowed is read, so that
    Django sees that it is too much.
    """
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" in environ:
        body = environ["wsgi.input"].read((settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + 1)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return handle(environ, start_response)


# What has been loaded stays for good: the collector need not walk it again and again while requests wait.
gc.collect()
gc.freeze()
