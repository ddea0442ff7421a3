"""The demo pictures: the same on every run, evenly spread over families and levels, and damaged as they say."""

import io
import itertools
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from ratings.importers import demo
from ratings.importers.demo import DemoPictureTooSmall, UnknownDemoPicture, iter_demo_pictures
from ratings.importers.demo.artifacts import KINDS, LEVELS, plant_artifacts
from ratings.importers.demo.canvas import make_rng

SMALL = 96
# One of each family.
A_FEW = (0, 1, 2, 3)


def decode(webp):
    return np.asarray(Image.open(io.BytesIO(webp)).convert("RGB"), dtype=np.float32) / 255


def clean_webp(picture):
    """The picture as it would be without planted artifacts."""
    return demo.encode(demo._draw_clean(picture.index, picture.width).pixels)


@pytest.fixture(scope="module")
def whole_set():
    return list(iter_demo_pictures(size=SMALL))


def test_it_works():
    pictures = list(iter_demo_pictures(size=SMALL, only=A_FEW))
    assert [picture.slug for picture in pictures] == [
        "flow-fields-01",
        "voronoi-glass-01",
        "strange-attractors-01",
        "layered-landscapes-01",
    ]
    for picture in pictures:
        image = Image.open(io.BytesIO(picture.webp))
        assert image.format == "WEBP"
        assert image.size == (picture.width, picture.height) == (SMALL, SMALL)
        assert picture.title
        assert picture.parameters["style"]


def test_pictures_are_768_pixels_wide_unless_asked_otherwise():
    (picture,) = iter_demo_pictures(only=[3])
    assert decode(picture.webp).shape == (768, 768, 3)


def test_bytes_are_the_same_again():
    once, again = (list(iter_demo_pictures(size=SMALL, only=A_FEW)) for _ in range(2))
    assert once == again


@pytest.mark.slow
def test_bytes_are_the_same_in_another_process():
    """Python hashes strings differently in every process; a seed must not depend on that."""
    script = (
        "import hashlib\n"
        "import django; django.setup()\n"
        "from ratings.importers.demo import iter_demo_pictures\n"
        f"pictures = iter_demo_pictures(size={SMALL}, only={A_FEW})\n"
        "print(hashlib.sha256(b''.join(picture.webp for picture in pictures)).hexdigest())\n"
    )
    runs = [subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout for _ in range(2)]
    assert len(runs[0].strip()) == 64
    assert runs[0] == runs[1]


def test_a_picture_is_the_same_whichever_others_are_made():
    (alone,) = iter_demo_pictures(size=SMALL, only=[3])
    assert alone == list(iter_demo_pictures(size=SMALL, only=[1, 2, 3]))[-1]


def test_pictures_come_one_by_one():
    pictures = iter_demo_pictures(size=SMALL)
    assert next(pictures).index == 0


@pytest.mark.parametrize("only", [[-1], [120], [0, 500]])
def test_an_unknown_index_is_refused_at_once(only):
    with pytest.raises(UnknownDemoPicture):
        iter_demo_pictures(size=SMALL, only=only)


def test_a_picture_too_small_for_its_artifacts_is_refused_at_once():
    with pytest.raises(DemoPictureTooSmall):
        iter_demo_pictures(size=SMALL - 1)


@pytest.mark.slow
def test_families_and_levels_are_evenly_spread(whole_set):
    assert [picture.index for picture in whole_set] == list(range(120))
    assert len({picture.slug for picture in whole_set}) == 120
    assert set(Counter(picture.family for picture in whole_set).values()) == {30}
    assert Counter(picture.planted_artifacts for picture in whole_set) == dict.fromkeys(range(6), 20)
    per_family = Counter((picture.family, picture.planted_artifacts) for picture in whole_set)
    assert len(per_family) == 24
    assert set(per_family.values()) == {5}


@pytest.mark.slow
def test_neither_style_nor_number_gives_the_level_away(whole_set):
    per_style = Counter((p.family, p.parameters["style"], p.planted_artifacts) for p in whole_set)
    assert len(per_style) == 120
    for family in {picture.family for picture in whole_set}:
        levels = [picture.planted_artifacts for picture in whole_set if picture.family == family]
        assert abs(np.corrcoef(levels, range(30))[0, 1]) < 0.4


def test_every_kind_of_artifact_comes_first_at_every_level():
    firsts = {(c.level, c.first_kind) for family in range(4) for c in demo._commissions(family)}
    assert firsts == set(itertools.product(LEVELS, range(len(KINDS))))


@pytest.mark.slow
def test_titles_are_sentences_of_their_own(whole_set):
    titles = [picture.title for picture in whole_set]
    assert len(set(titles)) == 120
    assert all(20 < len(title) < 140 for title in titles)


@pytest.mark.slow
def test_level_zero_is_untouched_and_each_level_is_worse_on_average(whole_set):
    distances = {}
    for picture in whole_set:
        clean = clean_webp(picture)
        if picture.planted_artifacts == 0:
            assert picture.webp == clean
        distance = np.abs(decode(picture.webp) - decode(clean)).mean()
        distances.setdefault((picture.family, picture.planted_artifacts), []).append(distance)
    for family in {picture.family for picture in whole_set}:
        means = [np.mean(distances[family, level]) for level in LEVELS]
        assert means[0] == 0
        assert all(worse > 1.3 * better for better, worse in itertools.pairwise(means)), (family, means)


@pytest.mark.parametrize("first_kind", range(len(KINDS)))
@pytest.mark.parametrize("index", A_FEW)
def test_every_kind_of_artifact_grows_with_the_level(index, first_kind):
    pixels = demo._draw_clean(index, SMALL).pixels
    distances = []
    for level in LEVELS:
        damaged = plant_artifacts(pixels, level=level, first_kind=first_kind, rng=make_rng("test", level))
        assert damaged.min() >= 0
        assert damaged.max() <= 1
        distances.append(np.abs(damaged - pixels).mean())
    assert distances[0] == 0
    assert all(worse > better for better, worse in itertools.pairwise(distances)), distances
    # The words of the scale, as far as a mean can say them: a hint at 1, hardly a picture at 5.
    assert distances[1] < 0.02
    assert distances[5] > 0.12


def test_planting_leaves_the_clean_picture_alone():
    pixels = demo._draw_clean(3, SMALL).pixels
    before = pixels.copy()
    plant_artifacts(pixels, level=5, first_kind=0, rng=make_rng("test"))
    assert np.array_equal(pixels, before)


@pytest.mark.slow
def test_no_two_pictures_look_alike(whole_set):
    tiny = [Image.open(io.BytesIO(picture.webp)).convert("RGB").resize((12, 12)) for picture in whole_set]
    thumbnails = np.stack([np.asarray(image, dtype=np.float32).ravel() / 255 for image in tiny])
    for number, thumbnail in enumerate(thumbnails[:-1]):
        assert np.abs(thumbnails[number + 1 :] - thumbnail).mean(axis=1).min() > 0.025


@pytest.mark.slow
def test_families_differ(whole_set):
    """Told by a few plain measures, the picture most like an undamaged one is mostly of its own family."""
    sound = [picture for picture in whole_set if picture.planted_artifacts <= 1]
    measures = np.stack([measure(decode(picture.webp)) for picture in sound])
    measures = (measures - measures.mean(axis=0)) / measures.std(axis=0)
    apart = np.linalg.norm(measures[:, None] - measures[None], axis=2) + np.diag([np.inf] * len(sound))
    same = [sound[at].family == sound[nearest].family for at, nearest in enumerate(apart.argmin(axis=1))]
    assert np.mean(same) > 0.6


def measure(pixels):
    light = pixels.mean(axis=-1)
    border = np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]])
    return np.array(
        [
            np.abs(np.diff(light, axis=0)).mean(),
            np.abs(np.diff(light, axis=1)).mean(),
            np.abs(np.diff(light, axis=0)).mean() / np.abs(np.diff(light, axis=1)).mean(),
            light.mean(),
            light.std(),
            light[:20].mean() - light[-20:].mean(),
            border.std(),
            np.ptp(pixels, axis=-1).mean(),
        ]
    )
