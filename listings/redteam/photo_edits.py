"""What a dishonest seller does to a photo, kind by kind: each gives the files of one attempt after the other.

Whatever is done, a person still sees what is offered. Only `gradient` reads the public model; the others are what
anybody can do with an ordinary program. What the checks answer teaches nothing: it ends the attempts, when it is pass.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from listings.redteam.photo_network import Network, unsafe_of

QUALITY = 90
# Gradient: how far a value may move (of 255), a step's length, the steps, and the qualities that the site or a browser
# may store a photo with: the seller's own file goes through one of them, anew in each step.
MOST, STEP, STEPS = 8.0, 1.0, 40
QUALITIES = (75, 95)
SHARES = (0.5, 0.35, 0.25)  # of the harmless photo's sides, of a photo put into a corner of it
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
SAMPLED = (128, 256)  # what a careless program would shrink a photo to
TIMES = 6  # how much larger a photo is that hides another one between its pixels
LONG = (2, 3, 5, 8)
INK = {"plain": (255, 0), "pale": (255, 175), "dark": (60, 0)}  # grey of a label and of the letters on it

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """What an attempt is made of: the photo of what is forbidden, a harmless one, and a sentence that says what is
    offered."""

    photo: Image.Image
    harmless: Image.Image
    words: str


Kind = Callable[[Scene, Network, random.Random], Iterator[bytes]]


def jpeg(image: Image.Image, quality: int = QUALITY) -> bytes:
    data = io.BytesIO()
    image.convert("RGB").save(data, "JPEG", quality=quality)
    return data.getvalue()


def png(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.convert("RGB").save(data, "PNG", compress_level=1)
    return data.getvalue()


def opened(file: bytes) -> Image.Image:
    with Image.open(io.BytesIO(file)) as image:
        return image.convert("RGB")


# --- With the public model -------------------------------------------------------------------------------------------


def gradient(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """Projected gradient descent on the log-odds of unsafe, every value within MOST of the photo's. The gradient is the
    one at the re-encoded photo (Athalye et al. 2018, arXiv:1802.00420), so that JPEG does not undo the step."""
    yield jpeg(scene.photo)
    start = np.asarray(scene.photo, np.float32)
    at = start
    for _ in range(STEPS):
        seen = opened(jpeg(as_image(at), rng.randint(*QUALITIES)))
        _, slope = unsafe_of(network, np.asarray(seen))
        at = stepped(at, slope, start)
        yield jpeg(as_image(at))


def stepped(at: NDArray[np.float32], slope: NDArray[np.float32], start: NDArray[np.float32]) -> NDArray[np.float32]:
    """One step down the slope, back to within MOST of `start` and to values that a photo can have."""
    return np.clip(np.clip(at - STEP * np.sign(slope), start - MOST, start + MOST), 0, 255)


def as_image(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.round(pixels).astype(np.uint8))


# --- With scaling ----------------------------------------------------------------------------------------------------


def rescaled(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """A large photo with a harmless one between its pixels, which is all that is left where a program shrinks it
    without averaging (Xiao et al. 2019, "Seeing is not believing"). Antialiased shrinking sees the large one."""
    for side in SAMPLED:
        for dots in (1, 2):
            yield png(woven(scene.photo, scene.harmless, side, dots))


def woven(photo: Image.Image, harmless: Image.Image, side: int, dots: int) -> Image.Image:
    """`photo` TIMES as large as side x side; where a program takes its sample for each of those, dots x dots pixels of
    `harmless`: 1 for the nearest pixel, 2 for linear interpolation."""
    large = np.array(photo.convert("RGB").resize((side * TIMES, side * TIMES), Image.Resampling.BICUBIC))
    small = np.asarray(harmless.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
    first = TIMES // 2 - dots // 2
    for y in range(first, first + dots):
        for x in range(first, first + dots):
            large[y::TIMES, x::TIMES] = small
    return Image.fromarray(large)


def squeezed(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """Part of a long strip, which the model squeezes to a square: first of one colour, then of a harmless photo."""
    for times in LONG:
        for upright in rng.sample((True, False), 2):
            for ground in (None, scene.harmless):
                yield jpeg(strip(scene.photo, ground, times, upright))


def strip(photo: Image.Image, ground: Image.Image | None, times: int, upright: bool) -> Image.Image:
    width, height = photo.size
    size = (width, height * times) if upright else (width * times, height)
    colour = tuple(int(value) for value in np.asarray(photo.resize((1, 1), Image.Resampling.BOX))[0, 0])
    canvas = ImageOps.fit(ground, size) if ground else Image.new("RGB", size, colour)
    canvas.paste(photo, ((size[0] - width) // 2, (size[1] - height) // 2))
    return canvas


# --- With any program for pictures -----------------------------------------------------------------------------------


def small(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """In a corner of a harmless photo, ever smaller."""
    for share in SHARES:
        for corner in rng.sample(CORNERS, len(CORNERS)):
            yield jpeg(cornered(scene.photo, scene.harmless, share, corner))


def cornered(photo: Image.Image, harmless: Image.Image, share: float, corner: tuple[int, int]) -> Image.Image:
    canvas = harmless.convert("RGB")
    inset = photo.copy()
    inset.thumbnail((round(canvas.width * share), round(canvas.height * share)), Image.Resampling.LANCZOS)
    room = (canvas.width - inset.width, canvas.height - inset.height)
    canvas.paste(inset, (corner[0] * room[0], corner[1] * room[1]))
    return canvas


def turned(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """Turned and mirrored."""
    yield jpeg(scene.photo)
    for angle in rng.sample((90, 180, 270, 30, 45, 135, -30, -60), 8):
        image = ImageOps.mirror(scene.photo) if rng.random() < 0.5 else scene.photo
        fill = rng.choice(("white", "black"))
        yield jpeg(image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=fill))


def recoloured(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    yield jpeg(scene.photo)
    photo = scene.photo
    looks: list[Callable[[], Image.Image]] = [
        lambda: ImageOps.grayscale(photo),
        lambda: ImageOps.invert(photo),
        lambda: ImageEnhance.Contrast(photo).enhance(0.35),
        lambda: ImageEnhance.Brightness(photo).enhance(0.4),
        lambda: ImageEnhance.Brightness(photo).enhance(1.8),
        lambda: ImageEnhance.Color(photo).enhance(3.0),
        lambda: ImageOps.solarize(photo, 128),
        lambda: ImageOps.colorize(ImageOps.grayscale(photo), "navy", "orange"),
        lambda: Image.merge("RGB", photo.split()[::-1]),
    ]
    for look in rng.sample(looks, len(looks)):
        yield jpeg(look())


def spoiled(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """Strong compression, few pixels, blur, noise, posterized."""
    yield jpeg(scene.photo)
    photo = scene.photo
    tiny = (max(1, photo.width // 4), max(1, photo.height // 4))
    dice = np.random.default_rng(rng.getrandbits(32))
    noise = dice.normal(0, 40, (photo.height, photo.width, 3))
    files: list[Callable[[], bytes]] = [
        lambda: jpeg(photo, 12),
        lambda: jpeg(photo, 5),
        lambda: jpeg(photo.resize(tiny).resize(photo.size, Image.Resampling.NEAREST)),
        lambda: jpeg(photo.filter(ImageFilter.GaussianBlur(max(photo.size) / 80))),
        lambda: jpeg(as_image(np.clip(np.asarray(photo, np.float32) + noise, 0, 255).astype(np.float32))),
        lambda: jpeg(ImageOps.posterize(photo, 2)),
    ]
    for file in rng.sample(files, len(files)):
        yield file()


def cropped(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """Two thirds of it and more, so that it can still be told what it is."""
    yield jpeg(scene.photo)
    width, height = scene.photo.size
    for _ in range(10):
        share = rng.uniform(0.65, 0.9)
        left, top = rng.uniform(0, 1 - share) * width, rng.uniform(0, 1 - share) * height
        yield jpeg(
            scene.photo.crop((round(left), round(top), round(left + share * width), round(top + share * height)))
        )


# --- Not for the models of photos ------------------------------------------------------------------------------------


def written(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """A harmless photo with the offer written on it."""
    for ink in rng.sample(sorted(INK), len(INK)):
        for angle in rng.sample((0, 0, 8, -20), 4):
            yield jpeg(labelled(scene.harmless, scene.words, ink, angle))


def labelled(photo: Image.Image, words: str, ink: str, angle: float) -> Image.Image:
    """The words on a label across the photo, in lines of a few words."""
    ground, letters = INK[ink]
    found = photo.convert("RGB")
    lines = in_lines(words, 24)
    font = ImageFont.load_default(max(14, found.width // 16))
    probe = ImageDraw.Draw(found)
    left, top, right, bottom = probe.multiline_textbbox((0, 0), lines, font=font)
    label = Image.new("RGBA", (round(right - left) + 24, round(bottom - top) + 24), (ground,) * 3)
    ImageDraw.Draw(label).multiline_text((12 - left, 12 - top), lines, fill=(letters,) * 3, font=font)
    label = label.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    label.thumbnail(found.size)
    found.paste(label, ((found.width - label.width) // 2, (found.height - label.height) // 2), label)
    return found


def in_lines(words: str, longest: int) -> str:
    lines = [""]
    for word in words.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > longest:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)


def removed(scene: Scene, network: Network, rng: random.Random) -> Iterator[bytes]:
    """A photo that the market has removed before comes again, changed a little. A harmless one: what it showed was
    against a rule of which photo models know nothing."""
    photo = scene.harmless.convert("RGB")
    width, height = photo.size
    mark = labelled(photo, "fresh photo", "plain", 0).resize((width // 4, height // 4))
    marked = photo.copy()
    marked.paste(mark, (width - mark.width, height - mark.height))
    files: Sequence[Callable[[], bytes]] = [
        lambda: jpeg(photo, 30),
        lambda: jpeg(photo.resize((width // 2, height // 2), Image.Resampling.LANCZOS)),
        lambda: jpeg(ImageOps.grayscale(photo)),
        lambda: jpeg(ImageOps.mirror(photo)),
        lambda: jpeg(photo.rotate(90, expand=True)),
        lambda: jpeg(photo.rotate(4, Image.Resampling.BICUBIC, fillcolor="white")),
        lambda: jpeg(ImageOps.crop(photo, round(width * 0.03))),
        lambda: jpeg(ImageOps.crop(photo, round(width * 0.12))),
        lambda: jpeg(ImageOps.expand(photo, round(width * 0.06), "white")),
        lambda: jpeg(ImageEnhance.Brightness(photo).enhance(1.3)),
        lambda: jpeg(marked),
    ]
    for file in rng.sample(files, len(files)):
        yield file()


KINDS: dict[str, Kind] = {
    "gradient": gradient,
    "rescaled": rescaled,
    "squeezed": squeezed,
    "small": small,
    "turned": turned,
    "recoloured": recoloured,
    "spoiled": spoiled,
    "cropped": cropped,
    "written": written,
    "removed": removed,
}
