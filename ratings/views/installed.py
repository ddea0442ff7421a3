"""What lets the rating page be installed, and opened without a network: manifest, service worker, the page it shows.

None of them depends on who asks, so that no browser can keep a page of somebody else's.
"""

import hashlib
import json
from pathlib import Path

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

# What the page without a network is made of.
SHELL = (
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "img/favicon.svg",
    "js/offline.js",
    "js/lib/api.js",
    "js/lib/store.js",
    "js/lib/words.js",
)


@require_safe
def manifest(_request: HttpRequest) -> HttpResponse:
    """Say what is installed, in the language of whoever asks."""
    icons = [("img/icon-192.png", "192x192", "any"), ("img/icon-512.png", "512x512", "any maskable")]
    return JsonResponse(
        {
            "id": reverse("ratings:rate"),
            "name": "Kudoscope",
            "short_name": "Kudoscope",
            "description": _("Rate images, and help publish an open dataset of what people find beautiful."),
            "lang": translation.get_language(),
            "start_url": reverse("ratings:rate"),
            "scope": "/",
            "display": "standalone",
            "background_color": "#6e6e6e",
            "theme_color": "#6e6e6e",
            "icons": [
                {"src": static(path), "sizes": sizes, "type": "image/png", "purpose": purpose}
                for path, sizes, purpose in icons
            ],
        },
        content_type="application/manifest+json",
    )


@require_safe
@never_cache
@csp({"default-src": [NONE], "connect-src": [SELF]})
def service_worker(request: HttpRequest) -> HttpResponse:
    """Answer with js/service-worker.js and what it has to keep: another release or language is another worker."""
    shell = [f"{reverse('ratings:offline')}?language={_wanted_language(request)}", *map(static, SHELL)]
    version = getattr(staticfiles_storage, "manifest_hash", "") + "".join(shell)
    known = {
        "CACHE": f"kudoscope-{hashlib.sha256(version.encode()).hexdigest()[:12]}",
        "SHELL": shell,
        "STATIC": settings.STATIC_URL,
    }
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    return HttpResponse(head + _worker_source(), content_type="text/javascript; charset=utf-8")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show the page that a browser keeps for when there is no network."""
    with translation.override(_wanted_language(request)):
        return render(request, "ratings/offline.html")


def _wanted_language(request: HttpRequest) -> str:
    wanted = request.GET.get("language", "")
    return wanted if wanted in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def _worker_source() -> str:
    return Path(str(finders.find("js/service-worker.js"))).read_text(encoding="utf-8")
