"""Pictures in lists and on pages of the administration."""

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.admin.base import EMPTY
from ratings.models import AdultClass, Image, ImageStatus, Rendition

SIZE = 512
THUMBNAIL, LARGE = 80, 384
VEILED = {AdultClass.ADULT, AdultClass.UNKNOWN}
STORED = {ImageStatus.ACTIVE, ImageStatus.HIDDEN}


def show_picture(image: Image, longest: int = THUMBNAIL) -> SafeString | str:
    """Return the picture with its longest side at ``longest``, veiled where it may be an adult one.

    What the public address does not serve has an address of its own, which only moderators may open.
    """
    if image.status not in STORED:
        return EMPTY
    is_public = image.status == ImageStatus.ACTIVE and image.adult_class == AdultClass.SAFE
    scale = min(1, longest / max(image.width, image.height))
    return format_html(
        '<img class="picture{}" src="{}" width="{}" height="{}" loading="lazy" alt="{}">',
        " picture-veiled" if image.adult_class in VEILED else "",
        reverse("ratings:image_sized", args=[image.pk, SIZE]) if is_public else hidden_picture_url(image),
        max(1, round(image.width * scale)),
        max(1, round(image.height * scale)),
        _("Image %(id)s") % {"id": image.pk},
    )


def hidden_picture_url(image: Image) -> str:
    return reverse("admin:ratings_image_picture", args=[image.pk])


def serve_hidden_picture(request: HttpRequest, image: Image) -> HttpResponse:
    """Answer with the rendition of an image that the public address does not serve.

    The administration's own headers keep it out of every cache.
    """
    del request
    name = Rendition.objects.filter(image=image, size=SIZE).values_list("file", flat=True).first()
    if name is None or not default_storage.exists(name):
        raise Http404
    with default_storage.open(name) as file:
        return HttpResponse(file.read(), content_type="image/webp")
