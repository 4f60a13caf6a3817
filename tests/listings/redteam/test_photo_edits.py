"""What is done to a photo: within its bounds, the same with the same dice, and what our own steps make of it."""

import itertools
import random

import numpy as np
import pytest
from PIL import Image

from listings.redteam import photo_edits
from listings.redteam.photo_edits import KINDS
from listings.redteam.photo_network import unsafe_of
from models import photo
from tests.listings.redteam.photo_cast import grey, network, scene


def files_of(kind, number=1, seed=1, most=6):
    return list(itertools.islice(KINDS[kind](scene(number), network(), random.Random(seed)), most))


@pytest.mark.parametrize("kind", KINDS)
def test_every_attempt_is_a_photo_and_no_two_are_the_same(kind):
    files = list(KINDS[kind](scene(), network(), random.Random(1)))
    assert 2 <= len(files) <= 45
    assert all(photo_edits.opened(file).mode == "RGB" for file in files)
    assert len(set(files)) >= len(files) * 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_dice_give_the_same_files(kind):
    assert files_of(kind, seed=5) == files_of(kind, seed=5)


def test_other_dice_give_other_files():
    for kind in sorted(set(KINDS) - {"rescaled"}):
        assert len({tuple(files_of(kind, seed=seed)) for seed in range(3)}) > 1, kind


@pytest.mark.parametrize("kind", ["gradient", "turned", "recoloured", "spoiled", "cropped"])
def test_the_first_attempt_is_the_photo_as_it_is(kind):
    assert files_of(kind, most=1) == [photo_edits.jpeg(scene().photo)]


# --- Gradient --------------------------------------------------------------------------------------------------------


def test_no_value_moves_further_than_it_may_however_many_steps():
    start = np.random.default_rng(1).choice([0, 3, 128, 250, 255], (20, 30, 3)).astype(np.float32)
    at = start
    dice = np.random.default_rng(2)
    for _ in range(50):
        at = photo_edits.stepped(at, dice.normal(-0.5, 1, start.shape).astype(np.float32), start)
        assert np.abs(at - start).max() <= photo_edits.MOST
        assert at.min() >= 0 and at.max() <= 255
    assert np.abs(at - start).max() == photo_edits.MOST, "the bound is reached"


def test_descending_lowers_what_the_model_says_through_jpeg_too():
    made = network()
    for number in range(3):
        files = list(KINDS["gradient"](scene(number), made, random.Random(1)))
        assert len(files) == photo_edits.STEPS + 1
        odds = [unsafe_of(made, np.asarray(photo_edits.opened(file)))[0] for file in files]
        assert odds[-1] < odds[0] - 0.05
        noise = np.random.default_rng(3).choice(
            [-photo_edits.MOST, photo_edits.MOST], (*scene(number).photo.size[::-1], 3)
        )
        shaken = np.clip(np.asarray(scene(number).photo) + noise, 0, 255).astype(np.float32)
        by_chance = unsafe_of(made, np.asarray(photo_edits.opened(photo_edits.jpeg(photo_edits.as_image(shaken)))))[0]
        assert odds[-1] < by_chance, "noise of the same strength does less"


# --- Scaling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dots", "filter_"), [(1, Image.Resampling.NEAREST), (2, Image.Resampling.NEAREST)])
def test_careless_shrinking_shows_the_harmless_photo_and_ours_the_forbidden_one(dots, filter_):
    forbidden, harmless, side = grey(40), grey(220), 128
    file = photo_edits.woven(forbidden, harmless, side, dots)
    assert file.size == (side * photo_edits.TIMES,) * 2
    assert np.asarray(file.resize((side, side), filter_)).min() == 220
    ours = photo.pixels(file, 256)
    assert abs(float(ours.mean()) - 40) < 30
    assert ours.max() < 130, "no place of it is light"


def test_the_photo_in_a_strip_is_whole_and_in_the_middle():
    made = photo_edits.strip(grey(10, (40, 30)), grey(250), 5, upright=False)
    assert made.size == (200, 30)
    assert np.asarray(made)[:, 80:120].max() == 10
    assert np.asarray(made)[:, :80].min() == 250


# --- In a corner -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", photo_edits.SHARES)
@pytest.mark.parametrize("corner", photo_edits.CORNERS)
def test_one_of_the_parts_that_the_worker_reads_shows_all_of_what_is_in_a_corner(share, corner):
    made = photo_edits.cornered(grey(0, (200, 200)), grey(255, (400, 300)), share, corner)
    dark = np.asarray(made)[..., 0] < 128
    assert 0 < dark.mean() <= share**2 + 0.01
    parts = [np.asarray(photo.cut(made, box))[..., 0] < 128 for box in photo.boxes(made.size)]
    whole = max(parts[1:], key=lambda part: part.sum())
    assert whole.sum() == dark.sum(), "it is whole in one part"
    assert whole.mean() > dark.mean() * 2.5, "and larger there"


# --- Words -----------------------------------------------------------------------------------------------------------


def test_all_words_stand_in_lines_of_a_few():
    words = "Seven pistols and a hundred rounds for the collector of unpronounceablyverylongthingsindeed"
    lines = photo_edits.in_lines(words, 24).split("\n")
    assert " ".join(lines) == words
    assert all(len(line) <= 24 or " " not in line for line in lines)


@pytest.mark.parametrize("ink", photo_edits.INK)
def test_the_label_lies_on_the_photo_and_leaves_its_edges(ink):
    made = np.asarray(photo_edits.labelled(grey(90, (320, 240)), "Seven pistols", ink, 0))
    changed = (made != 90).any(axis=2)
    assert 0.05 < changed.mean() < 0.6
    assert not changed[:4].any() and not changed[-4:].any()


def test_a_crop_keeps_what_can_be_told():
    width, height = scene().photo.size
    for file in files_of("cropped", most=20)[1:]:
        image = photo_edits.opened(file)
        assert 0.64 * width <= image.width < width and 0.64 * height <= image.height < height
