"""ratings.media: what is believed to be a picture, and what raters get to see of it."""

import hashlib
import os
import struct
from io import BytesIO

import pytest
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

from ratings import media
from tests.ratings.pictures import encode, make_picture, picture_bytes, png_header

RED, GREEN, BLUE, GREY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)


def shown(data, *, at=(5, 5), size=1024):
    """Return the colour that a rater sees at a point of a rendition."""
    rendition = next(made for made in media.render_image(data).renditions if made.size == size)
    return Pillow.open(BytesIO(rendition.data)).convert("RGB").getpixel(at)


def is_near(colour, wanted, tolerance=12):
    return all(abs(one - other) <= tolerance for one, other in zip(colour, wanted, strict=True))


def test_it_works():
    data = picture_bytes(1600, 1200)

    rendered = media.render_image(data)

    assert (rendered.width, rendered.height, rendered.mime) == (1600, 1200, "image/png")
    assert rendered.sha256 == hashlib.sha256(data).hexdigest()
    assert rendered.byte_count == len(data)
    assert [(made.size, made.width, made.height) for made in rendered.renditions] == [
        (1024, 1024, 768),
        (512, 512, 384),
    ]
    for made in rendered.renditions:
        assert made.sha256 == hashlib.sha256(made.data).hexdigest()
        picture = Pillow.open(BytesIO(made.data))
        assert (picture.format, picture.size) == ("WEBP", (made.width, made.height))


@pytest.mark.parametrize(("side", "renditions"), [(100, [(100, 100), (100, 100)]), (600, [(600, 600), (512, 512)])])
def test_render_image_never_enlarges(side, renditions):
    rendered = media.render_image(picture_bytes(side, side))

    assert [(made.width, made.height) for made in rendered.renditions] == renditions
    assert [made.size for made in rendered.renditions] == [1024, 512]


def test_render_image_keeps_one_pixel_of_a_very_thin_picture():
    rendered = media.render_image(picture_bytes(20_000, 16))

    assert [(made.width, made.height) for made in rendered.renditions] == [(1024, 1), (512, 1)]


def test_render_image_gives_the_same_bytes_twice():
    data = picture_bytes(700, 500)

    assert media.render_image(data) == media.render_image(data)


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("AVIF", "image/avif"),
        ("GIF", "image/gif"),
    ],
)
def test_render_image_reads_every_accepted_format(kind, mime):
    data = encode(Pillow.new("RGB", (64, 48), RED), kind)

    assert media.render_image(data).mime == mime
    assert is_near(shown(data), RED)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_render_image_shows_the_first_frame(kind):
    first, second = (Pillow.new("RGB", (64, 48), colour) for colour in (RED, BLUE))

    assert is_near(shown(encode(first, kind, save_all=True, append_images=[second])), RED)


def test_render_image_takes_a_camera_picture_with_a_preview_as_jpeg():
    first, second = (Pillow.new("RGB", (64, 48), colour) for colour in (RED, BLUE))

    data = encode(first, "MPO", save_all=True, append_images=[second])

    assert media.render_image(data).mime == "image/jpeg"
    assert is_near(shown(data), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_render_image_turns_the_picture_upright(kind):
    lying = Pillow.new("RGB", (60, 40), RED)
    lying.paste(Pillow.new("RGB", (20, 40), BLUE))  # the blue left edge is the top when the camera was held so
    exif = Pillow.Exif()
    exif[media.ORIENTATION_TAG] = 6

    data = encode(lying, kind, exif=exif.tobytes())

    rendered = media.render_image(data)
    assert (rendered.width, rendered.height) == (40, 60)
    assert (rendered.renditions[0].width, rendered.renditions[0].height) == (40, 60)
    assert is_near(shown(data, at=(20, 5)), BLUE)
    assert is_near(shown(data, at=(20, 50)), RED)


def test_render_image_takes_a_picture_whose_exif_is_broken_as_upright():
    data = encode(Pillow.new("RGB", (60, 40), RED), "WEBP", exif=b"Exif\x00\x00nonsense")

    assert media.render_image(data).width == 60


def test_render_image_keeps_no_metadata():
    exif = Pillow.Exif()
    exif[0x010E] = "taken at home, 12 Secret Street"
    text = PngInfo()
    text.add_text("parameters", "a prompt about Secret Street")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = make_picture(80, 60)
    sources = [
        encode(picture, "PNG", exif=exif.tobytes(), pnginfo=text, icc_profile=profile),
        encode(picture, "WEBP", exif=exif.tobytes(), xmp=b"Secret Street", icc_profile=profile),
        encode(picture, "JPEG", exif=exif.tobytes(), comment=b"Secret Street", icc_profile=profile),
    ]

    for data in sources:
        assert b"Secret Street" in data
        for made in media.render_image(data).renditions:
            assert b"Secret" not in made.data
            assert not {"exif", "icc_profile", "xmp", "comment"} & set(Pillow.open(BytesIO(made.data)).info)


def profile_with_red_and_blue_exchanged():
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    places = {}
    for number in range(struct.unpack_from(">I", profile, 128)[0]):
        entry = 132 + 12 * number
        places[bytes(profile[entry : entry + 4])] = entry + 4
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red : red + 8], profile[blue : blue + 8] = profile[blue : blue + 8], profile[red : red + 8]
    return bytes(profile)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_render_image_converts_to_srgb(mode):
    picture = Pillow.new("RGB", (64, 48), RED).convert(mode)

    assert is_near(shown(encode(picture)), RED)
    assert is_near(shown(encode(picture, icc_profile=profile_with_red_and_blue_exchanged())), BLUE, tolerance=40)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_render_image_passes_over_a_profile_that_does_not_fit(kind):
    wanted = Pillow.new("L", (64, 48), 128)

    for profile in (b"nonsense", profile_with_red_and_blue_exchanged()):
        assert is_near(shown(encode(wanted, kind, icc_profile=profile)), GREY)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_render_image_shows_transparency_as_neutral_grey(mode):
    picture = Pillow.new("RGBA", (64, 48), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (32, 0, 64, 48))

    data = encode(picture.convert(mode))

    assert is_near(shown(data, at=(5, 20)), GREY)
    assert is_near(shown(data, at=(60, 20)), (255, 255, 255))


def test_render_image_shows_one_transparent_colour_as_neutral_grey():
    picture = Pillow.new("RGB", (64, 48), RED)
    picture.paste(GREEN, (32, 0, 64, 48))

    data = encode(picture, transparency=RED)

    assert is_near(shown(data, at=(5, 20)), GREY)
    assert is_near(shown(data, at=(60, 20)), GREEN)


def test_render_image_keeps_the_brightness_of_sixteen_bits():
    picture = Pillow.new("I;16", (64, 48), 0x8000)

    assert is_near(shown(encode(picture)), GREY)


@pytest.mark.parametrize(("mode", "value"), [("1", 1), ("L", 255), ("CMYK", (0, 0, 0, 0))])
def test_render_image_reads_every_mode(mode, value):
    kind = "JPEG" if mode == "CMYK" else "PNG"

    assert is_near(shown(encode(Pillow.new(mode, (64, 48), value), kind)), (255, 255, 255))


def test_render_image_averages_black_and_white():
    checks = Pillow.frombytes("1", (2, 2), b"\x80\x40").resize((4, 4), Pillow.Resampling.NEAREST).crop((0, 0, 4, 4))
    picture = Pillow.new("1", (4096, 64))
    for x in range(0, 4096, 4):
        for y in range(0, 64, 4):
            picture.paste(checks, (x, y))

    assert is_near(shown(encode(picture), at=(500, 8)), GREY, tolerance=30)


def test_render_image_works_on_a_large_picture():
    data = encode(Pillow.new("L", (4200, 4000), 128), "PNG", compress_level=1)

    assert [made.width for made in media.render_image(data).renditions] == [1024, 512]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_render_image_refuses_a_file_that_ends_early(kind, part):
    whole = encode(Pillow.effect_noise((300, 200), 80).convert("RGB"), kind)
    assert media.render_image(whole)

    with pytest.raises((media.ImageDamaged, media.NotAnImage)):
        media.render_image(whole[: int(len(whole) * part)])


@pytest.mark.parametrize(
    ("data", "refusal", "sentence"),
    [
        (b"", media.FileEmpty, "the file is empty"),
        (b"These are words.\n" * 50, media.NotAnImage, "not a PNG, JPEG, WebP, AVIF or GIF picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", media.NotAnImage, "not a PNG"),
        (encode(make_picture(), "TIFF"), media.NotAnImage, "not a PNG"),
        (encode(make_picture(), "BMP"), media.NotAnImage, "not a PNG"),
        (picture_bytes(40, 15), media.ImageTooSmall, "40 x 15 pixels; each side needs at least 16"),
        (png_header(11_000, 11_000), media.ImageTooLarge, "100 megapixels"),
        (png_header(60_000, 60_000), media.ImageTooLarge, "100 megapixels"),
        (png_header(900, 900), media.ImageDamaged, "damaged or incomplete"),
    ],
)
def test_render_image_refuses_what_is_no_picture(data, refusal, sentence):
    with pytest.raises(refusal, match=sentence):
        media.render_image(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_render_image_refuses_too_many_pixels_where_warnings_are_not_errors():
    with pytest.raises(media.ImageTooLarge, match="11000 x 11000 pixels; at most 100 megapixels"):
        media.render_image(png_header(11_000, 11_000))


def test_render_image_refuses_too_many_bytes():
    with pytest.raises(media.ImageTooLarge, match=r"50\.0 MB; at most 50 MB"):
        media.render_image(bytes(media.MAX_BYTES + 1))


def test_read_image_file_returns_the_bytes(tmp_path):
    (tmp_path / "a.png").write_bytes(b"bytes")

    assert media.read_image_file(tmp_path / "a.png") == b"bytes"


def test_read_image_file_refuses_what_is_not_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")

    for path in (tmp_path, tmp_path / "pipe.png"):
        with pytest.raises(media.FileUnreadable, match="not a regular file"):
            media.read_image_file(path)
    with pytest.raises(media.FileUnreadable, match="cannot be read: No such file"):
        media.read_image_file(tmp_path / "missing.png")


def test_read_image_file_refuses_a_huge_file_without_reading_it(tmp_path):
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(10**12)

    with pytest.raises(media.ImageTooLarge, match=r"1,000,000\.0 MB"):
        media.read_image_file(tmp_path / "huge.png")


def test_read_image_file_refuses_a_file_that_may_not_be_read(unprivileged, open_folder):
    path = open_folder / "secret.png"
    path.write_bytes(picture_bytes())
    assert media.read_image_file(path)
    path.chmod(0)

    with unprivileged(), pytest.raises(media.FileUnreadable, match="cannot be read: Permission denied"):
        media.read_image_file(path)
