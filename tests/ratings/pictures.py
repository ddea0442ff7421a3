"""Small pictures made for tests, and bytes that only claim to be pictures."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image as Pillow


def make_picture(width=40, height=30, *, seed=0, mode="RGB"):
    """Return a picture of plain squares that the seed decides."""
    dice = random.Random(seed)
    bands = len(Pillow.new(mode, (1, 1)).getbands())
    squares = Pillow.frombytes(mode, (4, 3), dice.randbytes(12 * bands))
    return squares.resize((width, height), Pillow.Resampling.NEAREST)


def encode(picture, kind="PNG", **options):
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def picture_bytes(width=40, height=30, *, seed=0, kind="PNG", **options):
    return encode(make_picture(width, height, seed=seed), kind, **options)


def png_header(width, height):
    """Return a PNG that promises so many pixels and holds none: a decompression bomb without the powder."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\x00" * 100)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
