"""The functions that a notebook calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pixsent_tf
from pixsent_tf.errors import ConfigError
from pixsent_tf.studies import api


def test_importing_the_package_loads_no_tensorflow():
    code = "import sys, pixsent_tf; sys.exit('tensorflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_public_name_is_there():
    for name in pixsent_tf.__all__:
        assert getattr(pixsent_tf, name) is not None
    assert set(dir(pixsent_tf)) == set(pixsent_tf.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="pixsent_tf has no 'fits'; it has"):
        _ = pixsent_tf.fits


def test_fit_crossval_and_load_work_together(mean_color, colored_folder, tmp_path):
    fitted = pixsent_tf.fit(colored_folder, out=tmp_path / "fit", recipe=mean_color)
    crossed = pixsent_tf.crossval(
        colored_folder,
        out=tmp_path / "cv",
        recipe=mean_color,
        settings={"data.num_folds": 3},
    )
    model = pixsent_tf.load(tmp_path / "fit")
    (prediction,) = model.predict([str(colored_folder / "positive" / "00.png")])

    assert fitted["accuracy"] == crossed["accuracy"] == 1.0
    assert len(crossed["per_fold"]) == 3
    assert prediction.probs.argmax() == 1


def test_a_run_lands_in_the_next_free_folder(
    mean_color, colored_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    results = pixsent_tf.fit(colored_folder, recipe=mean_color)

    assert results["out"] == f"runs/fit-{colored_folder.name}-1"


def test_a_wrong_setting_is_named_before_any_folder_is_made(tmp_path):
    with pytest.raises(ConfigError, match="No setting 'epochs'"):
        pixsent_tf.fit("smileys", out=tmp_path / "run", settings={"epochs": 1})
    assert not (tmp_path / "run").exists()


def test_a_precision_out_of_range_is_refused_before_the_model_is_sought():
    with pytest.raises(ConfigError, match=r"precision=95 must be a number above 0"):
        pixsent_tf.predict("photo.jpg", model="no/such/model", precision=95)


@pytest.fixture
def spelled(colored_folder, tmp_path):
    """A table as a spreadsheet may write it, with splits and folds of its own."""
    rows = [
        f"{label}\\{i:02}.png;{mood};{'test' if i < 4 else 'train'};{i % 3}"
        for label, mood in (("negative", "NEG"), ("positive", "pos"))
        for i in range(12)
    ]
    text = "\n".join(["File;Class;Split;Fold", *rows])
    (tmp_path / "mine.csv").write_bytes(text.encode("utf-16"))
    return tmp_path / "mine.csv", {"data.images": str(colored_folder)}


def test_a_table_trains_and_tests_as_its_splits_and_folds_say(
    spelled, mean_color, tmp_path
):
    table, images = spelled
    fitted = pixsent_tf.fit(
        table, out=tmp_path / "fit", recipe=mean_color, settings=images
    )
    crossed = pixsent_tf.crossval(
        table, out=tmp_path / "cv", recipe=mean_color, settings=images
    )

    assert fitted["num_examples"] == 8
    assert any("reading NEG as negative; pos as" in note for note in fitted["notes"])
    assert (crossed["fold_source"], len(crossed["per_fold"])) == ("published", 3)
    assert [one["name"] for one in fitted["per_class"]] == ["negative", "positive"]


def test_a_model_of_spelled_classes_gives_the_probability_of_the_positive_one(
    spelled, mean_color, tmp_path, colored_folder
):
    table, images = spelled
    pixsent_tf.fit(table, out=tmp_path / "fit", recipe=mean_color, settings=images)

    for name, is_positive in (("positive", True), ("negative", False)):
        said = pixsent_tf.predict(
            colored_folder / name / "00.png", model=tmp_path / "fit"
        )
        assert (said.prob_positive > 0.5) == is_positive
        assert said.answer == name


@pytest.fixture
def asked(monkeypatch):
    """What `adapt` and `crossval` hand on, in place of an hour's work."""
    heard = {}
    monkeypatch.setattr(
        api.adapt_study,
        "adapt",
        lambda data, **more: heard.update(data=data, **more),
    )
    monkeypatch.setattr(
        api.crossval_study,
        "crossval",
        lambda recipe, dataset, run, **more: heard.update(
            recipe=recipe, dataset=dataset, run=run, **more
        ),
    )
    return heard


def test_adapt_hands_on_labels_model_pictures_and_folder(asked, tmp_path):
    pixsent_tf.adapt(
        tmp_path / "mine.csv",
        model=tmp_path / "run",
        pictures=[tmp_path / "b.jpg", "a.jpg"],
        out=tmp_path / "new",
        data={"images": "photos/"},
    )

    assert (asked["data"].source, asked["data"].images) == (
        str(tmp_path / "mine.csv"),
        "photos/",
    )
    assert (asked["model"], asked["out"]) == (tmp_path / "run", tmp_path / "new")
    assert asked["pictures"] == [str(tmp_path / "b.jpg"), "a.jpg"]


def test_adapt_leaves_open_what_is_not_said(asked):
    pixsent_tf.adapt("mine.csv")

    assert (asked["model"], asked["out"], asked["pictures"]) == (None, None, [])


def test_pictures_of_adapt_are_a_folder_a_list_or_one(asked, colored_folder, tmp_path):
    listed = tmp_path / "some.txt"
    listed.write_text("b.jpg\n\n  \na.jpg\n")

    found = []
    for pictures in (colored_folder, listed, str(tmp_path / "one.jpg")):
        pixsent_tf.adapt("mine.csv", pictures=pictures)
        found.append(asked["pictures"])

    assert len(found[0]) == 24
    assert {Path(path).suffix for path in found[0]} == {".png"}
    assert found[1:] == [["b.jpg", "a.jpg"], [str(tmp_path / "one.jpg")]]


def test_several_sources_keep_their_order_and_settings_win(
    asked, mean_color, colored_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    names = ["one", "two", "three"]
    for name in names:
        (tmp_path / name).symlink_to(colored_folder)

    pixsent_tf.crossval(
        names,
        recipe=mean_color,
        settings={"data.source": "three", "data.more_sources": ("one",)},
        leave_source_out=True,
    )
    won, is_left_out = asked["recipe"].data, asked["leave_source_out"]
    pixsent_tf.crossval(names, recipe=mean_color, out="here")
    plain = asked["recipe"].data

    assert (won.source, won.more_sources) == ("three", ("one",))
    assert (plain.source, plain.more_sources) == ("one", ("two", "three"))
    assert len(asked["dataset"].source_names) == 3
    assert (is_left_out, asked["leave_source_out"]) == (True, False)
    assert asked["run"].path == Path("here")


def test_a_run_of_crossval_is_called_after_its_verb(
    asked, mean_color, colored_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    pixsent_tf.crossval(colored_folder, recipe=mean_color)

    assert asked["run"].path == Path("runs") / f"crossval-{colored_folder.name}-1"


def test_the_seed_of_the_recipe_draws_what_a_source_draws(
    asked, mean_color, monkeypatch, tmp_path
):
    def note(config, *, seed):
        raise ConfigError(f"{config.source} by seed {seed}")

    monkeypatch.setattr(api, "open_dataset", note)

    with pytest.raises(ConfigError, match="smileys by seed 7"):
        pixsent_tf.crossval(
            "smileys", recipe=mean_color, settings={"seed": 7}, out=tmp_path / "run"
        )
