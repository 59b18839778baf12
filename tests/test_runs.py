"""Run folders: made once, written whole, read back."""

from __future__ import annotations

import json

import pytest

from pixsent_tf.config import Recipe
from pixsent_tf.errors import RunError
from pixsent_tf.runs import Run, cache_folder, next_folder, write_text


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(RunError, match="exists already; name another folder"):
        Run.create(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_empty_folder_may_become_a_run(tmp_path):
    assert Run.create(tmp_path).path == tmp_path


def test_what_a_kill_in_the_middle_of_writing_leaves_is_no_run(tmp_path):
    (tmp_path / ".recipe-0123abcd.json").write_text("{")

    assert Run.create(tmp_path).path == tmp_path


def test_a_folder_without_a_recipe_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"no run folder: it holds no recipe\.json"):
        Run.open(tmp_path)


def test_a_recipe_comes_back_with_its_environment(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_recipe(Recipe(name="mine", seed=3))

    assert Run.open(tmp_path / "run").read_recipe() == Recipe(name="mine", seed=3)
    assert run.read_json("environment.json")["packages"]["keras"].startswith("3.")


def test_a_table_comes_back_with_names_that_need_quotes(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_table("t.csv", ["id", "label"], [['a,"b".jpg', "positive"]])

    assert run.read_table("t.csv") == [{"id": 'a,"b".jpg', "label": "positive"}]


def test_a_missing_table_says_that_the_run_did_not_finish(tmp_path):
    run = Run.create(tmp_path / "run")

    with pytest.raises(RunError, match=r"no predictions\.csv; the run did not get"):
        run.read_table("predictions.csv")
    with pytest.raises(RunError, match=r"no results\.json"):
        run.read_json("results.json")


def test_nan_is_never_written(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_json("results.json", {"accuracy": 0.5})

    with pytest.raises(ValueError, match="JSON"):
        run.write_json("results.json", {"accuracy": float("nan")})
    assert json.loads((tmp_path / "run/results.json").read_text()) == {"accuracy": 0.5}


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "recipe.json"
    write_text(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "old"


def test_the_next_folder_is_the_first_free_number(tmp_path):
    (tmp_path / "fit-1").mkdir()

    assert next_folder("fit", tmp_path) == tmp_path / "fit-2"


def test_the_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path))
    assert cache_folder("smileys", "x") == tmp_path / "smileys" / "x"

    monkeypatch.delenv("PIXSENT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "pixsent-tf"


def test_the_same_recipe_goes_on_and_another_does_not(tmp_path):
    folder = tmp_path / "run"
    Run.create_or_resume(folder, Recipe()).write_recipe(Recipe())

    assert Run.create_or_resume(folder, Recipe()).path == folder
    with pytest.raises(
        RunError,
        match="exists already, and the recipe differs in seed: 0 there, 1 here;",
    ):
        Run.create_or_resume(folder, Recipe(seed=1))


def test_a_link_that_leads_out_of_the_run_is_not_followed(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_recipe(Recipe())
    (tmp_path / "secret.csv").write_text("secret,words\n")
    (run.path / "predictions.csv").symlink_to("../secret.csv")
    (run.path / "recipe.json").rename(tmp_path / "recipe.json")
    (run.path / "recipe.json").symlink_to(tmp_path / "recipe.json")

    for read in (lambda: run.read_table("predictions.csv"), run.read_recipe):
        with pytest.raises(RunError, match="link that leads out of the run") as caught:
            read()
        assert "secret," not in str(caught.value)


def test_a_link_within_the_run_is_followed(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_table("kept.csv", ["id"], [["a"]])
    (run.path / "predictions.csv").symlink_to("kept.csv")
    (tmp_path / "other").symlink_to("run")

    assert Run(tmp_path / "other").read_table("predictions.csv") == [{"id": "a"}]


def test_other_versions_are_named_and_refused(tmp_path):
    run = Run.create(tmp_path / "run")
    run.write_recipe(Recipe())
    run.check_versions()
    kept = run.read_json("environment.json")
    here = kept["packages"]["keras"]
    run.write_json(
        "environment.json", {**kept, "packages": {**kept["packages"], "keras": "3.0.1"}}
    )

    with pytest.raises(
        RunError, match=f"other versions: keras 3.0.1 there, {here} here"
    ):
        run.check_versions()


def test_a_study_goes_on_where_nothing_of_its_identity_has_changed(tmp_path):
    first = Run.begin(tmp_path / "study", {"seed": 1, "layers": ("a", "b")})
    again = Run.begin(tmp_path / "study", {"seed": 1, "layers": ("a", "b")}, notes=[])

    assert first.path == again.path
    assert again.read_json("study.json") == {
        "identity": {"seed": 1, "layers": ["a", "b"]},
        "notes": [],
    }
    with pytest.raises(
        RunError, match="a study that differs in seed: 1 there, 2 here; name"
    ):
        Run.begin(tmp_path / "study", {"seed": 2, "layers": ("a", "b")})


def test_a_study_leaves_the_folders_of_others_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(RunError, match="exists already; name another folder"):
        Run.begin(tmp_path, {"seed": 1})


def test_a_table_is_there_when_its_last_row_is_and_an_error_leaves_the_old_one(
    tmp_path,
):
    run = Run.create(tmp_path / "run")
    run.write_table("rows.csv", ["name"], [["old"]])

    def rows(last):
        yield from ([str(number)] for number in range(10_000))
        assert run.read_table("rows.csv") == [{"name": "old"}]
        if last is None:
            raise KeyboardInterrupt
        yield [last]

    with pytest.raises(KeyboardInterrupt):
        run.write_table("rows.csv", ["name"], rows(None))
    assert run.read_table("rows.csv") == [{"name": "old"}]
    assert [path.name for path in run.path.iterdir()] == ["rows.csv"]
    run.write_table("rows.csv", ["name"], rows("new"))
    assert run.read_table("rows.csv")[-1] == {"name": "new"}
