"""Draws the sample pictures: close-ups of animal coats, each picture from its own seed.

    python assets/make_samples.py

The classes differ by pattern alone. Colours (light on dark as well as dark on light), scale,
direction, curvature, light and sharpness vary within each, so that the mean colour tells little.
Steps: a flat coat (where is the marking?), bent over a body, coloured, covered with fur, lit.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

PICTURES_PER_CLASS = 40
TEST_PICTURES_PER_CLASS = 2
SIDES_PIXELS = ((224, 224), (240, 200), (200, 240), (256, 192))  # width, height
DETAIL = 2  # drawn at twice the size, then reduced: smooth edges
COAT_PIXELS = 640  # side of the flat coat, which repeats at its borders
JPEG_QUALITY = 78

# (ground, marking, second tone within the marking): fur as animals have it.
PALETTES = (
    ((238, 226, 204), (43, 34, 30), (176, 132, 86)),  # cream and black
    ((222, 152, 74), (46, 28, 20), (158, 88, 38)),  # tiger orange
    ((208, 174, 122), (92, 54, 30), (146, 98, 56)),  # sand and chestnut
    ((240, 238, 234), (62, 64, 72), (150, 150, 156)),  # white and slate
    ((176, 178, 182), (54, 58, 68), (118, 120, 128)),  # snow leopard
    ((196, 120, 66), (248, 236, 216), (226, 186, 142)),  # fawn: white on red-brown
    ((92, 62, 46), (226, 204, 172), (158, 122, 90)),  # cream on dark brown
    ((58, 58, 66), (214, 208, 200), (128, 126, 130)),  # pale on charcoal
    ((232, 196, 148), (168, 84, 40), (200, 134, 82)),  # ginger
    ((206, 190, 172), (110, 84, 72), (160, 136, 120)),  # mocha
)


@dataclass(frozen=True)
class Coat:
    """A flat coat. Arrays of float32, 0 to 1, height x width."""

    marking_HW: np.ndarray  # 1 where the marking is
    tone_HW: np.ndarray  # 1 where the second tone shows


def draw_picture(class_name: str, seed: int) -> Image.Image:
    """One RGB picture of this class; the same one for the same seed."""
    random = np.random.default_rng([seed, *class_name.encode()])
    width, height = SIDES_PIXELS[random.integers(len(SIDES_PIXELS))]
    shape = (height * DETAIL, width * DETAIL)
    coat = PATTERNS[class_name](random)
    y_HW, x_HW, bulge_HW = _over_a_body(shape, random)
    fur_HW, shift_HW = _fur(shape, random)
    ragged = random.uniform(2, 4)
    marking_HW = _sample(coat.marking_HW, y_HW + ragged * shift_HW, x_HW + ragged * fur_HW)
    tone_HW = _sample(coat.tone_HW, y_HW + ragged * shift_HW, x_HW + ragged * fur_HW)
    colours_HW3 = _coloured(marking_HW, tone_HW, random)
    colours_HW3 *= 1 + 0.16 * fur_HW[..., None]
    lit_HW3 = _lit(colours_HW3, bulge_HW, random)
    image = Image.fromarray(np.clip(lit_HW3 * 255, 0, 255).astype(np.uint8))
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    return image.filter(ImageFilter.GaussianBlur(float(random.choice([0, 0, 0.4, 0.8]))))


def _stripes(random: np.random.Generator) -> Coat:
    """Bands with forks: noise of one wavelength and nearly one direction (as zebra, tiger)."""
    wave = random.uniform(52, 92)
    field_HW = _noise(random, wave, direction=random.uniform(0, np.pi), spread=0.34, band=0.22)
    field_HW += 0.35 * _noise(random, wave * 3)
    return Coat(_step(field_HW, 0.12), _step(_noise(random, 90), 0.8) * 0.7)


def _spots(random: np.random.Generator) -> Coat:
    """Separate full spots of different sizes (as cheetah, Dalmatian, fawn)."""
    cells = int(random.integers(8, 15))
    near = _nearest(random, cells, wobble=0.07)
    radius_HW = 0.19 + 0.17 * near.chance_HW
    return Coat(_step(radius_HW - near.first_HW, 0.03), _step(_noise(random, 120), 0.8) * 0.5)


def _rosettes(random: np.random.Generator) -> Coat:
    """Broken rings around a second tone (as leopard, jaguar)."""
    cells = int(random.integers(4, 8))
    near = _nearest(random, cells, wobble=0.07)
    radius_HW = 0.30 + 0.06 * near.chance_HW
    pieces = 3 + np.floor(near.chance_HW * 2.99)
    gaps_HW = np.cos(near.angle_HW * pieces + 6 * near.chance_HW) + 0.25 * _noise(random, 40)
    ring_HW = _step(0.10 - np.abs(near.first_HW - radius_HW), 0.025) * _step(gaps_HW + 0.72, 0.25)
    inside_HW = _step(radius_HW - near.first_HW, 0.05)
    return Coat(ring_HW, inside_HW)


def _patches(random: np.random.Generator) -> Coat:
    """Angular fields with narrow lines between them (as giraffe)."""
    cells = int(random.integers(5, 9))
    near = _nearest(random, cells, wobble=0.06)
    gap = random.uniform(0.07, 0.13)
    field_HW = _step(near.second_HW - near.first_HW - gap, 0.03)
    return Coat(field_HW, _step(0.30 - near.first_HW + 0.08 * _noise(random, 40), 0.3) * 0.8)


def _splashes(random: np.random.Generator) -> Coat:
    """A few large smooth areas (as cow, piebald horse, panda)."""
    field_HW = _noise(random, random.uniform(230, 330)) + 0.13 * _noise(random, 70)
    return Coat(
        _step(field_HW + random.uniform(-0.25, 0.25), 0.05), _step(_noise(random, 150), 0.8) * 0.5
    )


PATTERNS: dict[str, Callable[[np.random.Generator], Coat]] = {
    "patches": _patches,
    "rosettes": _rosettes,
    "splashes": _splashes,
    "spots": _spots,
    "stripes": _stripes,
}


def _noise(
    random: np.random.Generator,
    wavelength_pixels: float,
    *,
    direction: float | None = None,
    spread: float = 1.0,
    band: float = 0.6,
    shape: tuple[int, int] = (COAT_PIXELS, COAT_PIXELS),
) -> np.ndarray:
    """Smooth noise of mean 0 and deviation 1 that repeats at its borders.

    Made in the frequency domain: a ring around one frequency (`band` wide, relative), and with a
    `direction` (radians) only the part of the ring that lies within `spread` (radians) of it.
    """
    fy_H1 = np.fft.fftfreq(shape[0])[:, None]
    fx_1W = np.fft.fftfreq(shape[1])[None, :]
    frequency_HW = np.hypot(fy_H1, fx_1W) * wavelength_pixels
    gain_HW = np.exp(-(((frequency_HW - 1) / band) ** 2))
    if direction is not None:
        turn_HW = np.arctan2(fy_H1, fx_1W) - direction
        gain_HW = gain_HW * np.exp(-((np.sin(turn_HW) / spread) ** 2))
    spectrum_HW = np.fft.fft2(random.normal(size=shape)) * gain_HW
    spectrum_HW[0, 0] = 0
    noise_HW = np.fft.ifft2(spectrum_HW).real
    return (noise_HW / noise_HW.std()).astype(np.float32)


@dataclass(frozen=True)
class Nearest:
    """For every pixel: its nearest centres, in cells. Arrays are height x width."""

    first_HW: np.ndarray  # distance to the nearest centre
    second_HW: np.ndarray  # and to the one after it
    angle_HW: np.ndarray  # direction to the nearest one, radians
    chance_HW: np.ndarray  # a number, 0 to 1, that belongs to the nearest one


def _nearest(random: np.random.Generator, cells: int, *, wobble: float) -> Nearest:
    """Centres scattered one to a cell (S. Worley, "A Cellular Texture Basis Function", 1996)."""
    jitter_KK2 = random.uniform(0.18, 0.82, (cells, cells, 2))
    chance_KK = random.uniform(0, 1, (cells, cells))
    y_HW, x_HW = np.mgrid[0:COAT_PIXELS, 0:COAT_PIXELS] * (cells / COAT_PIXELS)
    y_HW = y_HW + wobble * _noise(random, 0.7 * COAT_PIXELS / cells)
    x_HW = x_HW + wobble * _noise(random, 0.7 * COAT_PIXELS / cells)
    first_HW = np.full(y_HW.shape, 9.0)
    second_HW, angle_HW, chance_HW = first_HW.copy(), first_HW.copy(), first_HW.copy()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            row_HW = np.floor(y_HW).astype(int) + down
            column_HW = np.floor(x_HW).astype(int) + right
            jitter_HW2 = jitter_KK2[row_HW % cells, column_HW % cells]
            dy_HW = row_HW + jitter_HW2[..., 0] - y_HW
            dx_HW = column_HW + jitter_HW2[..., 1] - x_HW
            distance_HW = np.hypot(dy_HW, dx_HW)
            closer_HW = distance_HW < first_HW
            second_HW = np.minimum(second_HW, np.maximum(first_HW, distance_HW))
            angle_HW = np.where(closer_HW, np.arctan2(dy_HW, dx_HW), angle_HW)
            chance_HW = np.where(closer_HW, chance_KK[row_HW % cells, column_HW % cells], chance_HW)
            first_HW = np.minimum(first_HW, distance_HW)
    return Nearest(first_HW, second_HW, angle_HW, chance_HW)


def _step(field: np.ndarray, softness: float) -> np.ndarray:
    """0 where `field` is negative, 1 where positive, smooth over `softness`."""
    t = np.clip(field / softness * 0.5 + 0.5, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _over_a_body(
    shape: tuple[int, int], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, x) on the coat of every pixel of the picture, and the height of the body there."""
    height, width = shape
    y_HW, x_HW = np.mgrid[0:height, 0:width].astype(np.float32)
    y_HW, x_HW = y_HW / height * 2 - 1, x_HW / width * 2 - 1
    turn, offset = random.uniform(0, 2 * np.pi), random.uniform(-0.35, 0.35)
    along_HW = np.cos(turn) * x_HW + np.sin(turn) * y_HW
    across_HW = -np.sin(turn) * x_HW + np.cos(turn) * y_HW + offset
    roundness = random.uniform(0.30, 0.62)  # the body is a cylinder: the coat narrows at its rim
    folds_HW = _noise(random, 420, shape=shape) * random.uniform(0.02, 0.07)
    bulge_HW = np.sqrt(np.clip(1 - (roundness * across_HW) ** 2, 0.05, 1)) + folds_HW
    wrapped_HW = np.arcsin(np.clip(roundness * across_HW, -0.97, 0.97)) / roundness
    zoom = random.uniform(0.62, 1.15) * 0.5 * max(shape)
    bend_HW = _noise(random, 380, shape=shape) * random.uniform(4, 16)
    y_HW = (np.sin(turn) * along_HW + np.cos(turn) * wrapped_HW) * zoom + bend_HW
    x_HW = (np.cos(turn) * along_HW - np.sin(turn) * wrapped_HW) * zoom - bend_HW
    return y_HW + random.uniform(0, 999), x_HW + random.uniform(0, 999), bulge_HW


def _fur(shape: tuple[int, int], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fine noise smeared along the direction of the hair, twice; deviation 1."""
    lie = random.uniform(0, 2 * np.pi)
    turn_HW = lie + 0.5 * _noise(random, 400, shape=shape)
    y_HW, x_HW = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    grains = [random.normal(size=shape).astype(np.float32) for _ in range(2)]
    smeared = [np.zeros(shape, dtype=np.float32) for _ in range(2)]
    for step in np.linspace(-9, 9, 13):
        rows_HW = np.rint(y_HW + step * np.sin(turn_HW)).astype(int) % shape[0]
        columns_HW = np.rint(x_HW + step * np.cos(turn_HW)).astype(int) % shape[1]
        for grain_HW, smear_HW in zip(grains, smeared, strict=True):
            smear_HW += grain_HW[rows_HW, columns_HW]
    return smeared[0] / smeared[0].std(), smeared[1] / smeared[1].std()


def _sample(field_HW: np.ndarray, y_HW: np.ndarray, x_HW: np.ndarray) -> np.ndarray:
    """`field_HW` at fractional places, repeated at its borders."""
    top_HW, left_HW = np.floor(y_HW).astype(int), np.floor(x_HW).astype(int)
    down_HW, right_HW = y_HW - top_HW, x_HW - left_HW
    rows, columns = field_HW.shape
    upper_HW, lower_HW = top_HW % rows, (top_HW + 1) % rows
    first_HW, last_HW = left_HW % columns, (left_HW + 1) % columns
    upper = field_HW[upper_HW, first_HW] * (1 - right_HW) + field_HW[upper_HW, last_HW] * right_HW
    lower = field_HW[lower_HW, first_HW] * (1 - right_HW) + field_HW[lower_HW, last_HW] * right_HW
    return upper * (1 - down_HW) + lower * down_HW


def _coloured(
    marking_HW: np.ndarray, tone_HW: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    palette = np.array(PALETTES[random.integers(len(PALETTES))], dtype=np.float32) / 255
    ground, marking, tone = np.clip(
        palette + random.normal(0, 0.03, (3, 1)) + random.normal(0, 0.01, 3), 0, 1
    )
    # The second tone tints the ground a little everywhere, and the inside of a marking fully.
    base_HW3 = ground + (tone - ground) * 0.75 * tone_HW[..., None]
    ink_HW3 = marking + (tone - marking) * 0.22 * tone_HW[..., None]
    return base_HW3 + (ink_HW3 - base_HW3) * marking_HW[..., None]


def _lit(colours_HW3: np.ndarray, bulge_HW: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Light from one side over the body's shape, warm or cool, with darker corners."""
    slope_y_HW, slope_x_HW = np.gradient(bulge_HW)
    turn = random.uniform(0, 2 * np.pi)
    steep = 0.35 * max(bulge_HW.shape)
    facing_HW = 1 + steep * (np.cos(turn) * slope_x_HW + np.sin(turn) * slope_y_HW)
    light_HW = np.clip(0.34 + 0.62 * facing_HW, 0.25, 1.3)
    rows, columns = bulge_HW.shape
    y_HW, x_HW = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    light_HW = light_HW * (1 - 0.16 * (x_HW**2 + y_HW**2)) * random.uniform(0.82, 1.12)
    warmth = random.uniform(-0.07, 0.09)
    tint = np.array([1 + warmth, 1, 1 - warmth])
    lit_HW3 = colours_HW3 * light_HW[..., None] * tint
    lit_HW3 += 0.10 * np.clip(facing_HW - 1.08, 0, 1)[..., None]  # a soft sheen
    return lit_HW3 + random.normal(0, 0.008, lit_HW3.shape)


def encode(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return stream.getvalue()


def main() -> None:
    """Draw all pictures beside this file."""
    assets = Path(__file__).resolve().parent
    for class_name in PATTERNS:
        folder = assets / "samples" / class_name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, PICTURES_PER_CLASS + 1):
            picture = encode(draw_picture(class_name, number))
            (folder / f"{class_name}-{number:02}.jpg").write_bytes(picture)
        tests = assets / "samples-test"
        tests.mkdir(exist_ok=True)
        for number in range(1, TEST_PICTURES_PER_CLASS + 1):
            picture = encode(draw_picture(class_name, 1000 + number))
            (tests / f"{class_name}-{number}.jpg").write_bytes(picture)


if __name__ == "__main__":
    main()
