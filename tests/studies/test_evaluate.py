"""What is told of answers: every number by another route, each picture in its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from pixsent_tf.config import DataConfig, Recipe
from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, RunError
from pixsent_tf.inference.prediction import Prediction
from pixsent_tf.inference.predictions import Failure, Predictions
from pixsent_tf.runs import Run
from pixsent_tf.studies.evaluate import (
    ask_ten_crops,
    evaluate,
    label_ceiling,
    measure,
    measure_polarity,
)
from pixsent_tf.studies.subjects import Subject

COUNT = 23
GENERATOR = np.random.default_rng(4)
LABELS = np.array([0, 1, 1] * 7 + [0, 1])
SURE = np.clip(GENERATOR.normal(0.35 + 0.3 * LABELS, 0.25), 0.02, 0.98)
PROBS = np.stack([1 - SURE, SURE], axis=1)
FOLDS = np.array([5, 2, 9, 9] * 5 + [2, 9, 9])  # of unequal sizes, none is 0
IDS = tuple(f"{i:02}.png" for i in range(COUNT))
FAILURES = tuple(Failure(f"bad{i}.png", "empty", f"bad{i} is empty.") for i in range(4))
SAID = Predictions("mine", IDS, PROBS, ("positive", "negative"), LABELS)


def table(ids: Sequence[str] = IDS, **columns: Any) -> Dataset:
    """Pictures in the order against that of the answers."""
    ids = tuple(reversed(ids))
    labels = np.arange(len(ids)) % 2
    paths = tuple(f"/there/{name}" for name in ids)
    columns = {"labels": labels, "class_names": ("positive", "negative"), **columns}
    return Dataset(name="there", ids=ids, paths=paths, **columns)


def subject(said: Predictions = SAID, **parts: Any) -> Subject:
    """Answers whose models were not kept."""
    known = {"dataset": None, "models": {}, "recipe": None, "run": None, "notes": []}
    return Subject("mine", said, **{**known, **parts})


class Teller:
    """Stands for a network: says of a file what it was told to."""

    def __init__(self, add: float, bad: Sequence[str] = (), drift: float = 0) -> None:
        self.add, self.bad, self.drift = add, bad, drift
        self.asked: list[str] = []

    def predict(
        self, paths: Sequence[str], *, view: str, progress: object
    ) -> Iterator[Prediction]:
        """Ten crops are off the center by as much as `add` says."""
        assert view == "ten_crop"
        self.asked += paths
        for path in paths:
            name = Path(path).name
            if name in self.bad:
                yield Prediction(path, None, ImageError("empty", "It is empty."))
                continue
            center = PROBS[IDS.index(name)]
            mean = center + np.array([self.add, -self.add])
            drifted = center + np.array([self.drift * (name == "11.png"), 0])
            yield Prediction(path, mean, center_probs=drifted)


def test_ten_crops_are_asked_of_the_model_that_has_not_seen_the_fold() -> None:
    models = {fold: Teller(fold / 100) for fold in (9, 2, 5)}
    one = subject(replace(SAID, folds=FOLDS), dataset=table(), models=models)

    ask_ten_crops(one)

    by_fold = (FOLDS / 100)[:, None] * [1, -1]
    np.testing.assert_allclose(one.ten_crop, PROBS + by_fold)
    for fold, model in models.items():
        places = np.flatnonzero(fold == FOLDS)
        assert model.asked == [f"/there/{IDS[i]}" for i in places]
    assert one.notes == []


@pytest.mark.parametrize("bad", ["00.png", "12.png"])
def test_one_picture_that_is_gone_takes_all_ten_crops_away(bad: str) -> None:
    one = subject(dataset=table(), models={0: Teller(0.1, bad=[bad])}, notes=["old"])

    ask_ten_crops(one)

    assert one.ten_crop is None
    assert one.notes[0] == "old"
    assert one.notes[1].startswith("Some pictures cannot be read any more")


@pytest.mark.parametrize(("drift", "noted"), [(-0.05, "0.050"), (0.019, "")])
def test_a_center_that_says_something_else_is_told(drift: float, noted: str) -> None:
    one = subject(dataset=table(), models={0: Teller(0.1, drift=drift)})

    ask_ten_crops(one)

    assert len(one.notes) == bool(noted)
    assert all(f"by up to {noted};" in note for note in one.notes)
    np.testing.assert_allclose(one.ten_crop, PROBS + np.array([0.1, -0.1]))


def test_nothing_is_asked_where_a_picture_or_every_model_is_missing() -> None:
    teller = Teller(0.1)
    gone = subject(dataset=table(IDS[:7] + IDS[8:]), models={0: teller})
    bare = subject(dataset=table())

    for one in (gone, bare):
        ask_ten_crops(one)
        assert one.ten_crop is None
        assert one.notes == []
    assert teller.asked == []


def temperature_of(probs: np.ndarray, labels: np.ndarray) -> float:
    """The best of many temperatures, the prior of one picture among its losses."""
    logs = np.linspace(-3, 3, 20001)
    powers = probs[None] ** np.exp(-logs)[:, None, None]
    given = powers[:, np.arange(len(labels)), labels] / powers.sum(axis=2)
    return float(np.exp(logs[np.argmin(logs**2 / 2 - np.log(given).sum(axis=1))]))


def error_of(predicted: np.ndarray, happened: np.ndarray) -> float:
    """The calibration error, bin after bin."""
    total = 0.0
    for k in range(15):
        among = (predicted >= k / 15) & (predicted < (k + 1) / 15 + (k == 14))
        total += abs((predicted[among] - happened[among]).sum())
    return total / len(predicted)


@pytest.mark.parametrize("folds", [None, np.full(COUNT, 3), FOLDS])
def test_no_part_is_recalibrated_by_itself(folds: np.ndarray | None) -> None:
    """Of a single fold, every fifth picture makes a part."""
    parts = FOLDS if folds is FOLDS else np.arange(COUNT) % 5
    scaled, isotonic = np.empty((COUNT, 2)), np.empty(COUNT)
    for part in set(parts.tolist()):
        others, own = parts != part, parts == part
        power = PROBS[own] ** (1 / temperature_of(PROBS[others], LABELS[others]))
        scaled[own] = power / power.sum(axis=1, keepdims=True)
        curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
        isotonic[own] = curve.fit(SURE[others], LABELS[others]).predict(SURE[own])

    found = measure(subject(replace(SAID, folds=folds)))["calibration"]

    assert found is not None
    assert found["temperature"] == pytest.approx(temperature_of(PROBS, LABELS), 1e-3)
    losses = -np.log(scaled[np.arange(COUNT), LABELS])
    assert found["log_loss_with_temperature"] == pytest.approx(losses.mean(), abs=1e-3)
    assert found["ece_with_temperature"] == pytest.approx(
        error_of(scaled[:, 1], LABELS), abs=2e-3
    )
    assert found["ece_with_isotonic"] == pytest.approx(error_of(isotonic, LABELS))


def test_each_part_is_silent_below_what_the_others_chose() -> None:
    """The surest 12 are right, 30 of the next 34, and none of the rest."""
    sure, folds = 0.99 - 0.008 * np.arange(60), np.repeat([7, 2, 4], 20)[::-1]
    folds = folds[np.arange(60) * 7 % 60]
    right = ~np.isin(np.arange(60), [12, 31, 33, 34, *range(46, 60)])
    labels = np.arange(60) % 3 % 2
    prob = np.where((labels == 1) == right, sure, 1 - sure)
    both, ids = np.stack([1 - prob, prob], axis=1), tuple(map(str, range(60)))

    found = measure(subject(Predictions("m", ids, both, ("b", "a"), labels, folds)))

    counts = []
    for one, target in zip(found["abstention"], (0.9, 0.95, 0.98), strict=True):
        answered = np.zeros(60, bool)
        for fold in (2, 4, 7):
            own = folds == fold
            good = [x for x in sure[~own] if right[~own & (sure >= x)].mean() >= target]
            answered |= own & (sure >= min(good, default=2) - 1e-9)
        assert (one["target"], one["num_answered"]) == (target, answered.sum())
        assert one["coverage"] == pytest.approx(answered.mean())
        assert one["precision"] == pytest.approx(right[answered].mean())
        counts.append(one["num_answered"])
    assert counts[0] > counts[1] > counts[2] > 0


@pytest.mark.parametrize(("count", "can_choose"), [(1, False), (2, True), (3, True)])
def test_a_picture_alone_recalibrates_nothing(count: int, can_choose: bool) -> None:
    few = replace(SAID, ids=IDS[:count], probs=PROBS[:count], labels=LABELS[:count])

    found = measure(subject(few))

    assert (found["calibration"] is not None) == can_choose
    assert len(found["abstention"]) == 3 * can_choose


def test_pictures_that_got_no_answer_count_as_asked() -> None:
    found = measure(subject(replace(SAID, failures=FAILURES), notes=["a", "b"]))

    assert found["coverage"] == 23 / 27
    assert found["num_examples"] == 23
    assert [one["id"] for one in found["unreadable"]] == [f.id for f in FAILURES]
    assert found["notes"] == ["a", "b"]
    assert found["confidence"] == 0.95


def test_ten_crops_have_their_own_numbers_beside_the_center() -> None:
    turned = PROBS.copy()
    turned[[3, 8]] = np.eye(2)[1 - LABELS[[3, 8]]]  # wrong now
    center = np.eye(2)[LABELS] * 0.8 + 0.1
    one = subject(replace(SAID, probs=center, folds=FOLDS))
    alone = measure(one)
    one.ten_crop = turned

    found = measure(one)

    assert alone["ten_crop"] is None
    assert found["accuracy"] == alone["accuracy"] == 1
    right = turned.argmax(axis=1) == LABELS
    assert found["ten_crop"] is not None
    assert found["ten_crop"]["accuracy"] == pytest.approx(right.mean())
    assert found["ten_crop"]["per_fold"] == pytest.approx(
        [right[fold == FOLDS].mean() for fold in (2, 5, 9)]
    )
    assert [c["name"] for c in found["per_class"]] == ["positive", "negative"]


def test_groups_sources_and_files_are_those_of_the_pictures_names() -> None:
    sources = (np.arange(COUNT)[::-1] >= 16).astype("int32")  # 7 are of the second
    known = table(
        groups=(np.arange(COUNT) // 3).astype("int32"),
        sources=sources,
        source_names=("web", "lab"),
    )

    found = measure(subject(dataset=known))

    assert found["interval_unit"] == "group"
    right = PROBS.argmax(axis=1) == LABELS
    assert [(one["source"], one["num_examples"]) for one in found["per_source"]] == [
        ("web", 16),
        ("lab", 7),
    ]
    assert [one["accuracy"] for one in found["per_source"]] == pytest.approx(
        [right[:16].mean(), right[16:].mean()]
    )
    for one in found["suspects"]:
        assert one["path"] == f"/there/{one['id']}"
        assert not right[IDS.index(one["id"])]
    assert len(found["suspects"]) == (~right).sum()


def test_sources_are_left_out_where_one_picture_is_not_to_be_had() -> None:
    sources = (np.arange(COUNT - 1) % 2).astype("int32")
    known = table(IDS[:9] + IDS[10:], sources=sources, source_names=("web", "lab"))

    assert measure(subject(dataset=known))["per_source"] == []
    assert measure(subject())["per_source"] == []


def test_shares_are_measured_of_models_that_learnt_them_only() -> None:
    votes = np.stack([np.arange(COUNT) % 4, 1 + np.arange(COUNT) % 3], axis=1)
    known = table(votes=votes.astype("int32"))
    shares = Recipe(data=DataConfig("voted.csv", labels="votes"))

    def distances(**parts: Any) -> Any:
        return measure(subject(**parts))["distribution"]

    found = distances(dataset=known, recipe=shares)
    own = (votes / votes.sum(axis=1, keepdims=True))[::-1]
    chebyshev = np.abs(own - PROBS).max(axis=1).mean()
    assert found["chebyshev"] == pytest.approx(chebyshev)
    assert distances(dataset=known, recipe=Recipe()) is None
    assert distances(dataset=known) is None
    assert distances(recipe=shares) is None


def test_one_more_annotator_is_expected_by_the_votes_of_all() -> None:
    """The beta distribution is that of the larger set; the mean, of what counts."""
    votes = np.array([[3, 0], [2, 1], [0, 3], [1, 2], [0, 3], [3, 0]], "int32")
    ids = tuple("fedcba")
    whole = table(ids[::-1], votes=votes)
    whole = replace(whole, ids=ids, labels=np.array([0, 0, 1, 1, 1, 0]))
    part = replace(whole.take(np.array([1, 3, 4])), whole=whole)

    def beta_of(few: np.ndarray) -> float:
        """Symmetrical votes have a == b, and its best is found among many."""
        many = np.exp(np.linspace(-4, 4, 8001))
        likely = np.zeros(len(many))
        for low, high in few:
            for k in range(low):
                likely += np.log(many + k)
            for k in range(high):
                likely += np.log(many + k)
            likely -= sum(np.log(2 * many + k) for k in range(low + high))
        return float(many[likely.argmax()])

    a = beta_of(votes)
    assert label_ceiling(part, ["b", "e"]) == pytest.approx(
        ((a + 2) / (2 * a + 3) + (a + 3) / (2 * a + 3)) / 2, abs=1e-3
    )
    assert label_ceiling(part, ["e"]) == pytest.approx((a + 2) / (2 * a + 3), abs=1e-3)


def test_no_agreement_is_expected_where_votes_do_not_tell_it() -> None:
    votes = np.stack([np.arange(COUNT) % 4, 3 - np.arange(COUNT) % 4], axis=1)
    known = table(votes=votes.astype("int32"))
    assert label_ceiling(known, IDS) is not None

    for without in (
        None,
        table(),
        replace(known, votes=(votes / 3).astype("float32")),
        replace(known, sources=np.zeros(COUNT, "int32"), source_names=("web",)),
        replace(known, votes=np.stack([votes[:, 0] * 0, 3 + votes[:, 1]], axis=1)),
        replace(known, class_names=("a", "b", "c"), votes=np.ones((COUNT, 3), int)),
    ):
        assert label_ceiling(without, IDS) is None


def make_run(path: Path, results: str, history: str) -> Run:
    run = Run.create(path)
    run.write_recipe(Recipe())
    (path / "results.json").write_text(results)
    (path / "history.csv").write_text(history)
    return run


@pytest.mark.parametrize(
    ("results", "history", "tried"),
    [
        ('{"settings_tried": 12}', "inverse_penalty\n1\n2\n", 12),
        ("{}", "fold,inverse_penalty\n1,.1\n1,.2\n2,.1\n2,.2\n2,.4\n", 3),
        ("{}", "epoch,loss\n1,.3\n2,.2\n", 1),
        ("{}", "epoch,inverse_penalty\n", 1),
    ],
)
def test_settings_that_competed_are_counted_once(
    tmp_path: Path, results: str, history: str, tried: int
) -> None:
    run = make_run(tmp_path / "run", results, history)

    assert measure(subject(run=run))["settings_tried"] == tried
    assert measure(subject())["settings_tried"] is None


def test_answers_without_labels_or_pictures_are_refused() -> None:
    none = replace(SAID, ids=(), probs=PROBS[:0], labels=LABELS[:0])

    for said in (replace(SAID, labels=None), none):
        with pytest.raises(RunError, match=r"^mine holds no labelled predictions"):
            measure(subject(said))


def test_a_roll_keeps_folds_and_groups_of_the_pictures_that_have_a_pole() -> None:
    probs = np.full((6, 3), 0.2) + 0.4 * np.eye(3)[[0, 1, 2, 0, 1, 0]]
    labels, folds = np.array([0, 1, 2, 1, 0, 0]), np.array([4, 4, 7, 7, 7, 7])
    said = Predictions("mine", IDS[:6], probs, ("joy", "odd", "woe"), labels, folds)
    groups = np.array([3, 3, 9, 3, 8, 3])  # of the last picture first; these are one
    known = table(IDS[:6], groups=groups.astype("int32"))
    poles = {"joy": "positive", "woe": "negative"}

    found = measure_polarity(subject(said, dataset=known), poles)

    # of 0, 2, 4 and 5: right, right, a tie that is negative, right
    assert found["num_examples"] == 4
    assert found["accuracy"] == 0.75
    assert found["per_fold"] == pytest.approx([1, 2 / 3])
    assert found["accuracy_interval"] == [0.75, 0.75]
    assert measure(subject(said), polarity=poles)["polarity"] is not None
    assert measure(subject(said))["polarity"] is None


@pytest.mark.parametrize("name", ["model.keras", "shipped"])
def test_a_bare_model_needs_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"")

    with pytest.raises(ConfigError, match=f"^{name} is a bare model; name the pict"):
        evaluate(name, None)


def test_a_run_that_kept_no_model_is_measured_by_its_answers(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "{}", "epoch\n1\n")
    run.write_recipe(Recipe(data=DataConfig("gone.csv")))
    replace(SAID, folds=FOLDS, failures=FAILURES[:2]).write(run)

    told, found = evaluate(run.path, None)

    assert told.name == "run"
    assert told.ten_crop is None
    assert found["num_examples"] == COUNT
    assert found["coverage"] == 23 / 25
    assert found["accuracy"] == pytest.approx((PROBS.argmax(axis=1) == LABELS).mean())
    assert len(found["notes"]) == 2  # neither pictures nor models
