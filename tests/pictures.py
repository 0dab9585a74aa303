"""Real pictures for tests, made on the spot: what people bring, and what goes wrong with it.

Everything is drawn from a seed, so the same call gives the same bytes.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

# One texture and one colour a class: a linear head on a pretrained backbone tells them apart with
# a few pictures, and none of them is a flat colour.
TEXTURES = ("stripes", "dots", "checks", "rings", "noise", "waves")
COLOURS = (
    (200, 60, 50),
    (50, 110, 200),
    (60, 160, 70),
    (210, 170, 50),
    (140, 80, 180),
    (90, 90, 90),
)
ORIENTATION_TAG = 0x0112  # EXIF
DQT_MARKER = b"\xff\xdb"  # a JPEG's quantisation table


def pattern(class_index: int, seed: int, *, width: int = 96, height: int = 80) -> Image.Image:
    """An RGB picture of class `class_index`: its texture and colour, varied by `seed`."""
    random = np.random.default_rng((class_index, seed))
    y_HW, x_HW = np.mgrid[0:height, 0:width].astype(np.float32)
    scale = random.uniform(6, 12)
    texture = TEXTURES[class_index % len(TEXTURES)]
    light_HW = _texture(texture, x_HW, y_HW, scale=scale, random=random)
    colour_3 = np.array(COLOURS[class_index % len(COLOURS)], dtype=np.float32)
    colour_3 = np.clip(colour_3 + random.normal(0, 12, 3), 0, 255)
    pixels_HW3 = light_HW[..., None] * colour_3 + (1 - light_HW[..., None]) * 235
    pixels_HW3 += random.normal(0, 6, pixels_HW3.shape)
    return Image.fromarray(np.clip(pixels_HW3, 0, 255).astype(np.uint8))


def _texture(
    name: str,
    x_HW: np.ndarray,
    y_HW: np.ndarray,
    *,
    scale: float,
    random: np.random.Generator,
) -> np.ndarray:
    phase = random.uniform(0, 6)
    if name == "stripes":
        light_HW = np.sin((x_HW + 0.3 * y_HW) / scale * 3 + phase)
    elif name == "dots":
        light_HW = np.sin(x_HW / scale * 2 + phase) * np.sin(y_HW / scale * 2 + phase) * 2 - 0.5
    elif name == "checks":
        light_HW = ((x_HW // scale + y_HW // scale) % 2) * 2 - 1
    elif name == "rings":
        light_HW = np.sin(np.hypot(x_HW - 40, y_HW - 40) / scale * 4 + phase)
    elif name == "waves":
        light_HW = np.sin(y_HW / scale * 3 + np.sin(x_HW / scale) * 2 + phase)
    else:
        light_HW = random.normal(0, 1, x_HW.shape)
    return np.asarray(np.clip(light_HW * 0.5 + 0.5, 0, 1), dtype=np.float32)


def quadrants(*, width: int = 64, height: int = 48) -> Image.Image:
    """An RGB picture with red, green, blue and yellow corners: shows turning, mirroring, colour."""
    image = Image.new("RGB", (width, height))
    half_width, half_height = width // 2, height // 2
    image.paste((220, 30, 30), (0, 0, half_width, half_height))
    image.paste((30, 200, 30), (half_width, 0, width, half_height))
    image.paste((30, 30, 220), (0, half_height, half_width, height))
    image.paste((230, 220, 40), (half_width, half_height, width, height))
    return image


def encoded(image: Image.Image, image_format: str = "JPEG", **options: object) -> bytes:
    """The picture as the bytes of a file. JPEGs are made at quality 92 unless told otherwise."""
    if image_format == "JPEG":
        options = {"quality": 92, **options}
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def jpeg(class_index: int = 0, seed: int = 0, *, width: int = 96, height: int = 80) -> bytes:
    """A sound JPEG of one class."""
    return encoded(pattern(class_index, seed, width=width, height=height))


def turned_jpeg(orientation: int) -> bytes:
    """`quadrants()`, stored so that who obeys its EXIF `orientation` (1 to 8) sees it upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    image = quadrants()
    stored = image if undo is None else image.transpose(undo)
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return encoded(stored, "JPEG", exif=exif, quality=95, subsampling=0)


def broken_exif_jpeg() -> bytes:
    """A sound JPEG whose EXIF block is nonsense."""
    return encoded(quadrants(), exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + b"\x7f" * 40)


def located_jpeg() -> bytes:
    """A JPEG that says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 17.0)})
    exif[0x010F] = "SecretCameraMaker"
    return encoded(quadrants(), exif=exif)


def gray_ramp_16_bit_png() -> bytes:
    """A 16-bit grey PNG from black to white, mean exactly in the middle (127.5 of 255)."""
    ramp_W = np.linspace(0, 65535, 256).round().astype(np.uint16)
    return encoded(Image.fromarray(np.tile(ramp_W, (64, 1))), "PNG")


def cmyk_jpeg() -> bytes:
    """`quadrants()` as a CMYK JPEG."""
    return encoded(quadrants().convert("CMYK"), "JPEG", quality=95)


def half_transparent_png(mode: str = "RGBA") -> bytes:
    """Left half opaque dark red (or grey for "LA"), right half fully transparent black.

    `mode` is "RGBA", "LA" or "P" (a palette with one transparent entry).
    """
    image = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    image.paste((120, 20, 20, 255), (0, 0, 32, 48))
    if mode == "P":
        palette = Image.new("P", (64, 48), 0)
        palette.putpalette([0, 0, 0, 120, 20, 20])
        palette.paste(1, (0, 0, 32, 48))
        return encoded(palette, "PNG", transparency=0)
    return encoded(image.convert(mode), "PNG")


def animation(image_format: str = "GIF", *, frames: int = 5) -> bytes:
    """A moving picture ("GIF", "WEBP" or "PNG"): first a frame of class 0, then of others."""
    first = pattern(0, 0)
    rest = [pattern(1 + index % 4, index) for index in range(frames - 1)]
    return encoded(first, image_format, save_all=True, append_images=rest, duration=50, loop=0)


def two_picture_jpeg() -> bytes:
    """An MPO file (two JPEGs in one, as some cameras write); the first is `quadrants()`."""
    return encoded(quadrants(), "MPO", save_all=True, append_images=[pattern(1, 1)])


def huge_png(*, width: int = 13_000, height: int = 13_000) -> bytes:
    """A small file that unpacks to very many pixels (1 bit each)."""
    return encoded(Image.new("1", (width, height)), "PNG", optimize=False)


def camera_jpeg(seed: int, *, width: int = 4000, height: int = 3000) -> bytes:
    """A JPEG of camera size (12 megapixels), with structure at every scale."""
    small = pattern(seed, seed, width=width // 10, height=height // 10)
    return encoded(small.resize((width, height), Image.Resampling.BICUBIC), quality=85)


def flat(colour: tuple[int, int, int] = (120, 120, 120), *, side: int = 64) -> bytes:
    """A picture of one colour."""
    return encoded(Image.new("RGB", (side, side), colour), "PNG")


# File name -> maker, of files that no reader should take for a picture.
BROKEN: Mapping[str, Callable[[], bytes]] = {
    "empty.jpg": lambda: b"",
    "text.jpg": lambda: b"This is no picture, it only has the name of one.\n" * 4,
    "page.jpg": lambda: b"<!doctype html><title>404</title><script>alert(1)</script>",
    "pointer.jpg": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "half.jpg": lambda: jpeg(width=300, height=300)[:6000],
    "half.png": lambda: encoded(pattern(0, 0), "PNG")[:4000],
    "crc.png": lambda: _with_flipped_byte(encoded(pattern(0, 0), "PNG")),
    "drawing.png": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "paper.png": lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "print.png": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "bomb.png": huge_png,
}

# File name -> maker, of unusual files that every reader should take.
UNUSUAL: Mapping[str, Callable[[], bytes]] = {
    "gray.jpg": lambda: encoded(pattern(0, 0).convert("L")),
    "progressive.jpg": lambda: encoded(pattern(0, 1), progressive=True),
    "cmyk.jpg": cmyk_jpeg,
    "bad-exif.jpg": broken_exif_jpeg,
    "really-a.jpg": lambda: encoded(pattern(0, 2), "PNG"),
    "alpha.png": half_transparent_png,
    "gray-alpha.png": lambda: half_transparent_png("LA"),
    "palette.png": lambda: half_transparent_png("P"),
    "gray16.png": gray_ramp_16_bit_png,
    "one-bit.png": lambda: encoded(pattern(0, 3).convert("1"), "PNG"),
    "moving.gif": animation,
    "photo.webp": lambda: encoded(pattern(0, 4), "WEBP"),
    "photo.bmp": lambda: encoded(pattern(0, 5), "BMP"),
    "stereo.mpo": two_picture_jpeg,
    "junk-behind.jpg": lambda: jpeg(seed=6) + b"\x00junk" * 50,
}


def _with_flipped_byte(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 0xFF]) + raw[middle + 1 :]


def class_folder(
    folder: Path,
    classes: Sequence[str] = ("stripes", "dots", "checks"),
    per_class: int = 8,
    *,
    first_seed: int = 0,
    width: int = 96,
    height: int = 80,
) -> Path:
    """`folder` filled with one sub-folder a class and `per_class` JPEGs in each; returns it."""
    for class_index, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            raw = jpeg(class_index, first_seed + number, width=width, height=height)
            (folder / name / f"{name}-{first_seed + number}.jpg").write_bytes(raw)
    return folder


def zip_folder(folder: Path, target: Path) -> Path:
    """A zip at `target` of everything in `folder`, with paths relative to it; returns `target`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def zip_entries(target: Path, entries: Iterable[tuple[str, bytes]]) -> Path:
    """A zip at `target` with exactly these names (hostile ones too) and contents."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in entries:
            archive.writestr(zipfile.ZipInfo(name), raw)
    return target
