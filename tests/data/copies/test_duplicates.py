"""Are planted copies found, and nothing else?"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torture import picture, with_exif

from pixsent_tf.data.copies import cache, duplicates
from pixsent_tf.data.copies.duplicates import find_copies
from pixsent_tf.data.decode import files
from pixsent_tf.errors import DataError, ImageError
from tests.heard import Heard

NUM_PICTURES = 30


def detailed(seed: int) -> Image.Image:
    """Draw a picture with a coarse and a fine structure of its own."""
    rng = np.random.default_rng(seed)
    fine = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    coarse = picture(320, 240, seed=seed)
    return Image.blend(coarse, Image.fromarray(fine).resize((320, 240)), 0.4)


def plant(image: Image.Image, kind: str, rng: random.Random) -> Image.Image:
    width, height = image.size
    if kind in ("cut", "all"):
        left, top, right, bottom = (rng.uniform(0, 0.05) for _ in range(4))
        image = image.crop(
            (
                round(left * width),
                round(top * height),
                round((1 - right) * width),
                round((1 - bottom) * height),
            )
        )
    if kind in ("resized", "all"):
        scale = rng.choice([0.5, 0.7, 1.3, 2.0])
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.BICUBIC)
    return image


def write_planted(images: list[Image.Image], folder: Path) -> list[Path]:
    """Write each picture, then a copy of each: encoded again, resized, cut or all."""
    rng = random.Random(0)
    paths = []
    for i, image in enumerate(images):
        paths.append(folder / f"{i:04}.jpg")
        image.save(paths[-1], quality=92)
    for i, image in enumerate(images):
        kind = ("encoded", "resized", "cut", "all")[i % 4]
        paths.append(folder / f"{i:04}_{kind}.jpg")
        plant(image, kind, rng).save(paths[-1], quality=rng.randint(50, 90))
    return paths


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    images = [detailed(seed) for seed in range(NUM_PICTURES)]
    return write_planted(images, tmp_path_factory.mktemp("planted"))


def test_every_planted_copy_and_nothing_else_is_found(planted):
    found = find_copies(planted)

    wanted = [[i, i + NUM_PICTURES] for i in range(NUM_PICTURES)]
    assert found.pairs.tolist() == wanted
    assert not found.is_exact.any()
    assert (found.groups[:NUM_PICTURES] == found.groups[NUM_PICTURES:]).all()
    assert len(set(found.groups)) == NUM_PICTURES


def test_identical_bytes_are_exact_pairs_each_with_each(planted, tmp_path):
    copies = [tmp_path / name for name in ("b.jpg", "c.jpg")]
    for copy in copies:
        shutil.copy(planted[0], copy)

    found = find_copies([planted[1], planted[0], *copies])

    assert found.pairs.tolist() == [[1, 2], [1, 3], [2, 3]]
    assert found.is_exact.all()
    assert found.distances.tolist() == [0, 0, 0]


def test_near_copy_of_identical_files_pairs_with_each_of_them(planted, tmp_path):
    shutil.copy(planted[0], tmp_path / "same.jpg")

    found = find_copies([tmp_path / "same.jpg", planted[NUM_PICTURES], planted[0]])

    assert found.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found.is_exact.tolist() == [False, True, False]


def test_picture_that_is_turned_by_its_header_is_a_copy(tmp_path):
    (tmp_path / "turned.jpg").write_bytes(with_exif(6))
    picture().rotate(-90, expand=True).save(tmp_path / "upright.png")

    found = find_copies([tmp_path / "turned.jpg", tmp_path / "upright.png"])

    assert found.pairs.tolist() == [[0, 1]]


def test_unreadable_files_are_named_and_are_no_copies(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"")
    picture().save(tmp_path / "c.jpg")
    paths = [tmp_path / name for name in ("a.jpg", "gone.jpg", "b.jpg", "c.jpg")]

    found = find_copies(paths)

    assert found.pairs.shape == (0, 2)
    assert [found.failures[i].reason for i in range(3)] == ["empty", "missing", "empty"]
    assert len(set(found.groups)) == 4


def test_a_search_that_reads_nothing_does_not_say_that_there_are_no_copies(tmp_path):
    paths = [tmp_path / "gone.jpg", tmp_path / "lost.jpg"]

    with pytest.raises(DataError, match=r"None of the 2 pictures .*gone\.jpg does not"):
        find_copies(paths)


def test_a_fault_of_ours_is_no_unreadable_picture(monkeypatch, planted, tmp_path):
    shutil.copy(planted[0], tmp_path / "0.jpg")
    monkeypatch.setattr(files, "_convert", lambda *arguments: undefined)  # noqa: F821

    with pytest.raises(NameError, match=r"undefined"):
        find_copies([tmp_path / "0.jpg", planted[2]])


def test_blank_pictures_of_different_bytes_are_no_copies(tmp_path):
    paths = [tmp_path / f"{level}.png" for level in (10, 200)]
    for path in paths:
        Image.new("RGB", (50, 50), (int(path.stem),) * 3).save(path)

    assert len(find_copies(paths).pairs) == 0


def test_landscapes_that_share_only_their_light_are_no_copies(tmp_path):
    rng = np.random.default_rng(0)
    light = np.linspace(220, 30, 64)[:, None]
    for number, noise in enumerate((4, 25, 60, 90)):
        pixels = light + rng.normal(0, noise, (64, 64))
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(
            tmp_path / f"{number}.png"
        )

    found = find_copies(sorted(tmp_path.iterdir()))

    assert len(found.pairs) == 0


def test_nothing_has_no_duplicates():
    found = find_copies([])

    assert (len(found.pairs), len(found.groups)) == (0, 0)


def test_the_search_is_said_out_loud_once(few):
    heard, again = Heard(), Heard()

    find_copies(few, progress=heard)
    find_copies(few, progress=again)

    assert (4, "looking for copies") in heard.steps
    assert sum(heard.counts) == sum(total for total, _ in heard.steps)
    assert (again.steps, again.counts) == ([], [])


def forget():
    """What another process would not remember."""
    cache._remembered.clear()


@pytest.fixture
def few(planted, tmp_path, monkeypatch):
    """Two pictures, a copy of the first, and a file that holds none; nothing known."""
    (tmp_path / "broken.jpg").write_bytes(b"")
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    forget()
    return [planted[0], planted[1], planted[NUM_PICTURES], tmp_path / "broken.jpg"]


@pytest.fixture
def decoded(monkeypatch):
    """Names of the files that are decoded."""
    names = []

    def read(path, **options):
        names.append(Path(path).name)
        return files.read_image(path, **options)

    monkeypatch.setattr(duplicates, "read_image", read)
    return names


def kept(tmp_path) -> list[Path]:
    return list((tmp_path / "cache/copies").iterdir())


@pytest.mark.parametrize("process", ["the same", "another"])
def test_a_set_is_searched_once(process, few, decoded):
    first = find_copies(few)
    decoded.clear()
    if process == "another":
        forget()

    again = find_copies(few)

    assert decoded == ["broken.jpg"]  # to say what is wrong with it
    assert again.pairs.tolist() == first.pairs.tolist() == [[0, 2]]
    assert again.groups.tolist() == first.groups.tolist()
    assert again.is_exact.tolist() == [False]
    assert again.distances.tolist() == first.distances.tolist()
    assert [again.failures[3].reason] == ["empty"]


def test_other_bytes_under_the_same_name_are_searched_again(few, decoded, tmp_path):
    shutil.copy(few[0], tmp_path / "third.jpg")
    paths = [*few[:2], tmp_path / "third.jpg"]
    assert find_copies(paths).is_exact.tolist() == [True]

    shutil.copy(few[1], tmp_path / "third.jpg")

    assert find_copies(paths).pairs.tolist() == [[1, 2]]


def test_a_picture_that_can_be_read_by_now_is_searched(few, decoded, monkeypatch):
    monkeypatch.setattr(
        duplicates, "_read", lambda path: ImageError("no", "unsupported")
    )
    with pytest.raises(DataError, match=r"None of the 2"):
        find_copies(few[:2])
    monkeypatch.undo()

    assert len(find_copies(few[:2]).failures) == 0


@pytest.mark.parametrize("damage", [b"", b"PK no archive", "cut", "other"])
def test_a_damaged_file_in_the_cache_is_written_again(damage, few, decoded, tmp_path):
    find_copies(few)
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    if damage == "other":
        np.savez(path, pairs=np.zeros(3), groups=np.zeros(4))
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else damage)
    forget()

    assert find_copies(few).pairs.tolist() == [[0, 2]]
    assert kept(tmp_path) == [path]  # and nothing half written beside it
    with np.load(path) as stored:
        assert stored["pairs"].tolist() == [[0, 2]]


def test_a_cache_that_cannot_be_written_is_done_without(few, decoded, tmp_path):
    (tmp_path / "cache").touch()

    assert find_copies(few).pairs.tolist() == [[0, 2]]


@pytest.mark.data
def test_photographs_and_planted_copies_meet_the_bar(shared_data, tmp_path):
    photographs = sorted((shared_data / "deepsent/images").iterdir())
    chosen = random.Random(0).sample(range(len(photographs)), 200)
    images = [Image.open(photographs[i]).convert("RGB") for i in chosen]
    copies = write_planted(images, tmp_path)[len(images) :]
    alone = find_copies(photographs)

    found = find_copies([*photographs, *copies])

    pairs = set(map(tuple, found.pairs.tolist()))
    planted = {(i, len(photographs) + n) for n, i in enumerate(chosen)}
    assert len(planted & pairs) >= 0.95 * len(planted)
    # A pair of one photograph, or of two that are copies, is right; others are not.
    groups = [*alone.groups, *(alone.groups[i] for i in chosen)]
    false = [(a, b) for a, b in pairs if groups[a] != groups[b]]
    assert len(false) < 0.01 * len(pairs)
    assert alone.is_exact.sum() == 13
    # Thirteen more were looked at one by one: all show the same picture.
    assert (~alone.is_exact).sum() == 13


def test_copies_stand_in_their_places_around_broken_files(planted, tmp_path):
    broken = [tmp_path / f"{number}.jpg" for number in range(3)]
    for path in broken:
        path.write_bytes(b"")
    shutil.copy(planted[1], tmp_path / "same.jpg")
    first, second = planted[0], planted[NUM_PICTURES]  # alike
    third, fourth = planted[1], tmp_path / "same.jpg"  # the same

    found = find_copies([broken[0], third, broken[1], second, fourth, broken[2], first])

    assert found.pairs.tolist() == [[1, 4], [3, 6]]
    assert found.is_exact.tolist() == [True, False]
    assert found.distances[0] == 0
    assert 0 < found.distances[1] < 0.2
    assert sorted(found.failures) == [0, 2, 5]
    assert found.groups[1] == found.groups[4]
    assert found.groups[3] == found.groups[6]
    assert len(set(found.groups.tolist())) == 5


def test_the_same_files_in_another_order_have_their_copies_in_other_places(
    few, decoded
):
    assert find_copies(few[:3]).pairs.tolist() == [[0, 2]]

    turned = find_copies([few[0], few[2], few[1]])
    mixed = find_copies([few[3], few[0], few[2], few[1]])

    assert turned.pairs.tolist() == [[0, 1]]
    assert mixed.pairs.tolist() == [[1, 2]]
    assert sorted(mixed.failures) == [0]


def test_each_pair_has_its_own_distance_whatever_was_found_first(planted, tmp_path):
    shutil.copy(planted[1], tmp_path / "same.jpg")

    found = find_copies(
        [planted[0], planted[NUM_PICTURES], planted[1], tmp_path / "same.jpg"]
    )

    assert found.pairs.tolist() == [[0, 1], [2, 3]]
    assert found.is_exact.tolist() == [False, True]
    assert found.distances[0] > 0
    assert found.distances[1] == 0


def test_the_copy_of_a_picture_that_can_be_read_by_now_is_found(few, monkeypatch):
    read = duplicates._read

    def refusing(path):
        is_refused = Path(path) == Path(few[2])
        return ImageError("no", "unsupported") if is_refused else read(path)

    monkeypatch.setattr(duplicates, "_read", refusing)
    assert find_copies(few).pairs.tolist() == []
    assert sorted(find_copies(few).failures) == [2, 3]
    monkeypatch.setattr(duplicates, "_read", read)

    found = find_copies(few)

    assert found.pairs.tolist() == [[0, 2]]
    assert sorted(found.failures) == [3]


def test_other_rules_forget_what_was_found_by_these(few, decoded, monkeypatch):
    find_copies(few)
    decoded.clear()
    monkeypatch.setattr(duplicates, "_RULES", duplicates._RULES + 1)

    find_copies(few)

    assert sorted(set(decoded)) == sorted(Path(path).name for path in few)


def test_the_first_of_several_broken_files_is_the_reason(tmp_path):
    paths = [tmp_path / f"{name}.jpg" for name in "bca"]
    for path in paths:
        path.write_bytes(b"")

    with pytest.raises(DataError, match=r"None of the 3 pictures .*b\.jpg"):
        find_copies(paths)
