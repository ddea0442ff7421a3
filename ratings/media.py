"""From bytes that claim to be a picture to the renditions that raters see.

Every picture is decoded completely before it is believed: a header that parses proves nothing. Accepted are
PNG, JPEG, WebP, AVIF and GIF, of which the first frame counts. TIFF and the rest are left out: browsers do not
show them, and each decoder that is reachable is one more to keep safe.

Renditions are WebP without any metadata, in sRGB, upright, on neutral grey where the original is transparent (so
that what a rater sees does not depend on the colour of the page). They never exceed the size of the original.
The same bytes give the same renditions for as long as Pillow and libwebp stay the same.
"""

import hashlib
import stat
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageCms, ImageFilter

MAX_BYTES = 50_000_000
MAX_PIXELS = 100_000_000
MIN_SIDE = 16
RENDITION_SIZES = (1024, 512)
# What stands for an image that not everybody wants to see, until it is revealed.
BLURRED_SIZE = 32
BLUR_RADIUS = 4

# Raters look for artifacts, so the encoder must not add its own. Method 3 is as faithful as the default, 4, and
# a sixth faster; 2 is faster still, but measurably worse and larger.
WEBP_QUALITY = 90
WEBP_METHOD = 3

MIME_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "GIF": "image/gif",
}
ACCEPTED_FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF")
ACCEPTED_NAMES = "PNG, JPEG, WebP, AVIF or GIF"
NEUTRAL_GREY = (128, 128, 128)
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)

# A picture of 100 megapixels takes well over a gigabyte while it is decoded: one such at a time.
LARGE_PIXELS = 16_000_000
_one_large_picture = threading.Lock()

# Pillow warns above this and refuses above twice this; `_open` refuses either.
Pillow.MAX_IMAGE_PIXELS = MAX_PIXELS


class ImageRefused(Exception):
    """These bytes cannot become an image; the message says why, to a person."""


class FileUnreadable(ImageRefused):
    pass


class FileEmpty(ImageRefused):
    def __init__(self) -> None:
        super().__init__("the file is empty")


class NotAnImage(ImageRefused):
    def __init__(self) -> None:
        super().__init__(f"not a {ACCEPTED_NAMES} picture")


class ImageDamaged(ImageRefused):
    def __init__(self, complaint: object) -> None:
        super().__init__(f"damaged or incomplete: {complaint}")


class ImageTooLarge(ImageRefused):
    pass


class ImageTooSmall(ImageRefused):
    def __init__(self, width: int, height: int) -> None:
        super().__init__(f"{width} x {height} pixels; each side needs at least {MIN_SIDE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRendition:
    """A WebP file and the size it was asked for; its longest side is smaller where the original is."""

    size: int
    width: int
    height: int
    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedImage:
    """An original that was decoded completely, as it is seen upright, and its renditions."""

    sha256: str
    byte_count: int
    mime: str
    width: int
    height: int
    perceptual_hash: int
    renditions: tuple[EncodedRendition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """The measures of an original, and it at the size of the largest rendition."""

    mime: str
    width: int
    height: int
    shown: Pillow.Image


def read_image_file(path: Path) -> bytes:
    """Return what the file holds.

    Raises FileUnreadable, FileEmpty or ImageTooLarge. Nothing but a regular file is opened: reading a pipe would
    wait for ever.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileUnreadable("not a regular file")
        if status.st_size > MAX_BYTES:
            raise ImageTooLarge(_too_many_bytes(status.st_size))
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"cannot be read: {error.strerror or error}") from error


def hash_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def render_image(data: bytes) -> RenderedImage:
    """Decode the picture completely and return its measures with a rendition of every size.

    Raises ImageRefused with the reason. Hostile bytes make decoders raise anything, so whatever they raise is a
    reason.
    """
    if not data:
        raise FileEmpty
    if len(data) > MAX_BYTES:
        raise ImageTooLarge(_too_many_bytes(len(data)))
    with _open(data) as header:
        is_large = header.width * header.height > LARGE_PIXELS
    with _one_large_picture if is_large else nullcontext():
        decoded = _decode(data)
    return RenderedImage(
        sha256=hash_bytes(data),
        byte_count=len(data),
        mime=decoded.mime,
        width=decoded.width,
        height=decoded.height,
        perceptual_hash=_looks_of(decoded.shown),
        renditions=_encode_renditions(decoded.shown),
    )


def blur_picture(data: bytes) -> bytes:
    """Return a WebP of 32 pixels in which colours can be told and nothing else. Raises ImageRefused."""
    with _open(data) as picture:
        small = _shrink(_load(picture).convert("RGB"), BLURRED_SIZE)
    buffer = BytesIO()
    small.filter(ImageFilter.GaussianBlur(BLUR_RADIUS)).save(buffer, "WEBP", quality=WEBP_QUALITY)
    return buffer.getvalue()


def hash_looks(data: bytes) -> int:
    """Return 64 bits, signed, that pictures which look alike mostly share: where a row of eight gets brighter.

    Raises ImageRefused.
    """
    with _open(data) as picture:
        return _looks_of(_load(picture).convert("RGB"))


def _looks_of(picture: Pillow.Image) -> int:
    """The difference hash: grey, 9 by 8, and for each pair of neighbours whether the right one is brighter."""
    small = picture.convert("L").resize((9, 8), Pillow.Resampling.BOX)
    pixels = small.tobytes()
    bits = sum(
        (pixels[9 * row + column + 1] > pixels[9 * row + column]) << (8 * row + column)
        for row in range(8)
        for column in range(8)
    )
    return bits - (1 << 64) if bits >> 63 else bits


def _open(data: bytes) -> Pillow.Image:
    try:
        picture = Pillow.open(BytesIO(data), formats=ACCEPTED_FORMATS)
    except Pillow.UnidentifiedImageError as error:
        raise NotAnImage from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"more than {MAX_PIXELS / 1e6:.0f} megapixels") from error
    except Exception as error:
        raise ImageDamaged(error) from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageTooLarge(f"{width} x {height} pixels; at most {MAX_PIXELS / 1e6:.0f} megapixels are accepted")
    if min(width, height) < MIN_SIDE:
        raise ImageTooSmall(width, height)
    return picture


def _decode(data: bytes) -> _Decoded:
    """Decode everything and return little: the full picture is gone from memory when this returns.

    It is shrunk before anything else, so that what follows handles at most one megapixel.
    """
    with _open(data) as picture:
        _load(picture)
        try:
            small = _shrink(_with_full_channels(picture), max(RENDITION_SIZES))
        except Exception as error:
            raise ImageDamaged(error) from error
        orientation = _orientation_of(picture)
        width, height = picture.size[::-1] if orientation in SIDEWAYS else picture.size
        if orientation in UPRIGHT:
            small = small.transpose(UPRIGHT[orientation])
        shown = _to_opaque_srgb(small, picture.info.get("icc_profile"))
        return _Decoded(mime=MIME_TYPES[picture.format or ""], width=width, height=height, shown=shown)


def _load(picture: Pillow.Image) -> Pillow.Image:
    try:
        picture.load()
    except Exception as error:
        raise ImageDamaged(error) from error
    return picture


def _orientation_of(picture: Pillow.Image) -> int:
    """Return how the camera was held, 1 (upright) where the file does not say so legibly."""
    try:
        return int(picture.getexif().get(ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - a picture is not refused for a note about it that is broken
        return 1


def _to_opaque_srgb(picture: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    if picture.mode not in {"LA", "RGBA"}:
        return _to_srgb(picture, profile)
    colour = _to_srgb(picture.convert(picture.mode.removesuffix("A")), profile)
    grey = Pillow.new("RGB", colour.size, NEUTRAL_GREY)
    return Pillow.composite(colour, grey, picture.getchannel("A"))


def _with_full_channels(picture: Pillow.Image) -> Pillow.Image:
    """Return the picture in a mode that can be averaged: no palette, no bits, eight bits a channel."""
    if picture.mode == "I;16":
        # Converting would clip everything above 255 to white.
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode == "P" or "transparency" in picture.info:
        return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return picture


def _shrink(picture: Pillow.Image, size: int) -> Pillow.Image:
    longest = max(picture.size)
    if longest <= size:
        return picture
    width, height = (max(1, round(side * size / longest)) for side in picture.size)
    return picture.resize((width, height), Pillow.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(picture: Pillow.Image, profile: bytes | None) -> Pillow.Image:
    """Convert by the profile that the file carries; one that is broken or does not fit is as good as none."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, source, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _encode_renditions(picture: Pillow.Image) -> tuple[EncodedRendition, ...]:
    renditions: list[EncodedRendition] = []
    for size in RENDITION_SIZES:
        picture = _shrink(picture, size)
        buffer = BytesIO()
        picture.save(buffer, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
        data = buffer.getvalue()
        renditions.append(
            EncodedRendition(size=size, width=picture.width, height=picture.height, sha256=hash_bytes(data), data=data)
        )
    return tuple(renditions)


def _too_many_bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB; at most {MAX_BYTES / 1e6:.0f} MB are accepted"
