"""Pictures of one group never stand on both sides, whatever the source and the verb."""

from __future__ import annotations

import shutil
from pathlib import Path

import deepsent_files
import numpy as np
import pytest
import tensorflow_datasets as tfds
from deepsent_files import write_deepsent
from PIL import Image

from pixsent_tf.config import DataConfig, override
from pixsent_tf.data.sources import open_dataset
from pixsent_tf.errors import ConfigError
from pixsent_tf.runs import Run
from pixsent_tf.studies import crossval, fit
from pixsent_tf.studies.provenance.witness import Witness
from pixsent_tf.studies.search.space import SearchConfig
from pixsent_tf.studies.search.tune import tune
from pixsent_tf.studies.trainer import Trainer
from pixsent_tf.training import views
from pixsent_tf.training.heads import HeadLearner
from tests.studies.conftest import mean_color
from tests.tiny_network import recipe_of, tiny_backbone

__all__ = ["mean_color", "recipe_of", "tiny_backbone"]

COUNT, PEOPLE = 48, 12


class Portraits(tfds.core.GeneratorBasedBuilder):
    """Dark and bright noise of twelve people."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(),
                "label": tfds.features.ClassLabel(names=["negative", "positive"]),
                "id": tfds.features.Text(),
                "person": tfds.features.Text(),
            }
        )
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for number in range(COUNT):
            row = {"id": f"{number:02}.png", "person": person_of(number)}
            yield number, {"image": noise(number), "label": number % 2, **row}


def noise(number: int) -> np.ndarray:
    level = 170 if number % 2 else 20
    generator = np.random.default_rng(number)
    return generator.integers(level, level + 60, (24, 24, 3)).astype("uint8")


def person_of(number: int) -> str:
    """Each has pictures of both classes."""
    return f"p{number * 5 // 2 % PEOPLE:02}"


def save(path: Path, number: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(number)).save(path)
    return path.name


def write_folder(root: Path) -> DataConfig:
    for number in range(COUNT):
        label = ("negative", "positive")[number % 2]
        save(root / label / person_of(number) / f"{number:02}.png", number)
    return DataConfig(str(root), group="folder")


def write_table(root: Path, column: str) -> Path:
    rows = [
        f"{save(root / f'{number:02}.png', number)},{number % 2},{person_of(number)}"
        for number in range(COUNT)
    ]
    table = root / "table.csv"
    table.write_text("\n".join([f"path,label,{column}", *rows]))
    return table


def write_users(root: Path, *, folds: bool) -> DataConfig:
    write_deepsent(root, folds=folds)
    return DataConfig(str(root), level="three_agrees", group="user")


@pytest.fixture(params=["folder", "csv", "csv column", "tfds", "deepsent", "no folds"])
def data(request, tmp_path, monkeypatch) -> DataConfig:
    """A source with groups; DeepSent's cross its published folds."""
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    root, source = tmp_path / "data", request.param
    if source == "folder":
        return write_folder(root)
    if source == "csv":
        return DataConfig(str(write_table(root, "group")))
    if source == "csv column":
        return DataConfig(str(write_table(root, "person")), group="person")
    if source == "tfds":
        monkeypatch.setattr(
            tfds, "builder", lambda name, data_dir: Portraits(data_dir=str(root))
        )
        return DataConfig("tfds:portraits", group="person")
    monkeypatch.setattr(
        deepsent_files, "name_of", lambda number: f"{number // 2 % 12}_4_B-{number}.jpg"
    )
    return write_users(root, folds=source == "deepsent")


def person_named(dataset, position: int) -> str:
    """Tell the group from the picture's name alone."""
    name = dataset.ids[position]
    if "_" in name:
        return name.split("_")[0]
    return person_of(int(Path(name).stem))


@pytest.fixture
def divisions(monkeypatch):
    """What trained, and what was then judged or chosen by: pairs of positions."""
    found, last = [], {}
    train, predict = Trainer.train, Trainer.predict
    fit_shown, validate = Witness.fit, Witness.validate
    fit_head = HeadLearner.fit

    def note_training(self, indices, **options):
        last["trainer"] = indices
        return train(self, indices, **options)

    def note_test(self, trained, indices):
        found.append(("outer", last["trainer"], indices))
        return predict(self, trained, indices)

    def note_trial(self, indices, targets, **units):
        last["trial"] = indices
        return fit_shown(self, indices, targets, **units)

    def note_score(self, fitted, indices):
        found.append(("search", last["trial"], indices))
        return validate(self, fitted, indices)

    def note_inner(self, indices, targets, **units):
        fitted = fit_head(self, indices, targets, **units)
        folds = fitted.inner.folds
        found.extend(
            ("inner", indices[folds != fold], indices[folds == fold])
            for fold in np.unique(folds)
        )
        return fitted

    for owner, name, spy in (
        (Trainer, "train", note_training),
        (Trainer, "predict", note_test),
        (Witness, "fit", note_trial),
        (Witness, "validate", note_score),
        (HeadLearner, "fit", note_inner),
    ):
        monkeypatch.setattr(owner, name, spy)
    return found


def run_tune(recipe, dataset, run):
    tune(recipe, dataset, run, SearchConfig(backbones=("mean_color",), trials=1))


VERBS = {"fit": fit.fit, "crossval": crossval.crossval, "tune": run_tune}


@pytest.mark.parametrize("verb", VERBS)
def test_no_group_trains_and_tests(verb, data, divisions, mean_color, tmp_path):
    recipe = override(mean_color, {"data.num_folds": 3})
    dataset = open_dataset(data)

    VERBS[verb](recipe, dataset, Run.create(tmp_path / "run"))

    kinds = {kind for kind, _, _ in divisions}
    assert kinds >= ({"outer", "inner", "search"} if verb == "tune" else {"outer"})
    for kind, trained, judged in divisions:
        people = [
            {person_named(dataset, i) for i in part} for part in (trained, judged)
        ]
        assert people[0], kind
        assert people[0].isdisjoint(people[1]), kind


def test_no_group_trains_and_stops_early(tmp_path, recipe_of, monkeypatch):
    sides = []
    batches = views.training_batches

    def note(canvases, examples, *arguments, **options):
        sides.append(examples.indices)
        return batches(canvases, examples, *arguments, **options)

    monkeypatch.setattr(views, "training_batches", note)
    dataset = open_dataset(DataConfig(str(write_table(tmp_path, "group"))))

    recipe = recipe_of(epochs=1, patience=1, calibration_folds=1)
    Trainer.read(recipe, dataset).train(np.arange(COUNT))

    people = [{person_named(dataset, i) for i in side} for side in sides]
    assert len(people) == 4  # of the network that calibrates, and of the one that stays
    for trained, stopped in zip(people[::2], people[1::2], strict=True):
        assert trained
        assert stopped
        assert trained.isdisjoint(stopped)


def test_groups_and_copies_are_one_chain(tmp_path, mean_color):
    """A copy of another's picture ties the two people together."""
    table = write_table(tmp_path, "group")
    shutil.copy(tmp_path / "00.png", tmp_path / "02.png")
    dataset = open_dataset(DataConfig(str(table)))

    units = Trainer.read(mean_color, dataset).units

    of = {
        person: {units[i] for i in range(COUNT) if person_of(i) == person}
        for person in map(person_of, range(COUNT))
    }
    assert all(len(numbers) == 1 for numbers in of.values())
    assert of[person_of(0)] == of[person_of(2)]
    assert len(set.union(*of.values())) == PEOPLE - 1


def refuse_smileys(root: Path) -> DataConfig:
    return DataConfig("smileys", group="person")


def refuse_list(root: Path) -> DataConfig:
    save(root / "a.png", 0)
    (root / "list.txt").write_text("a.png 1\n")
    return DataConfig(str(root / "list.txt"), group="person")


def refuse_column(root: Path) -> DataConfig:
    return DataConfig(str(write_table(root, "group")), group="person")


def refuse_name(root: Path) -> DataConfig:
    write_folder(root)
    return DataConfig(str(root), group="person")


def refuse_flat(root: Path) -> DataConfig:
    for number, label in enumerate(("negative", "positive")):
        save(root / label / "a.png", number)
    return DataConfig(str(root), group="folder")


def refuse_deepsent(root: Path) -> DataConfig:
    return DataConfig(str(write_deepsent(root)), group="person")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (refuse_smileys, r"smileys are drawn one by one; they have no group 'person'"),
        (refuse_list, r"list\.txt has no group 'person'; only a CSV table has columns"),
        (refuse_column, r"no column 'person' .* it has path, label, group\."),
        (refuse_name, r"has no group 'person'; the one of a folder .* is 'folder'"),
        (refuse_flat, r"has no folders within its classes"),
        (refuse_deepsent, r"no group 'person'; the one of a DeepSent folder is 'user'"),
    ],
)
def test_a_source_without_such_groups_is_refused(make, message, tmp_path):
    data = make(tmp_path)

    with pytest.raises(ConfigError, match=message):
        open_dataset(data)
