"""Which mistakes would let a choice see what it is judged on, and what notices them?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leak:
    """A change of one line, and the test that is to fail where it is made.

    Attributes:
        choice: What would be chosen, or trained, with what it is judged on.
        module: Where, below `pixsent_tf/`.
        line: What stands there, once.
        leak: What would stand there.
        test: Of pytest, below `tests/`.
    """

    choice: str
    module: str
    line: str
    leak: str
    test: str


LEAKS = (
    Leak(
        "outer: a fold trains on what it tests",
        "studies/folds.py",
        "trains = counts & ~tested",
        "trains = counts",
        "studies/test_folds.py::test_each_fold_tests_once_and_trains_the_others",
    ),
    Leak(
        "outer: copies of a test picture train",
        "studies/folds.py",
        "trains & ~tied",
        "trains",
        "studies/test_folds.py::test_copies_of_a_test_picture_are_left_out",
    ),
    Leak(
        "outer: a person's pictures train and test",
        "data/splits.py",
        "if whole.groups is not None:",
        "if False:",
        "data/test_splits.py"
        "::test_pictures_of_a_group_stay_together_where_none_is_a_copy",
    ),
    Leak(
        "inner: the penalty of a head is chosen on what trained",
        "training/logistic.py",
        "_fit_path(features[train], targets[train], inverse_penalties)",
        "_fit_path(features, targets, inverse_penalties)",
        "training/test_logistic.py::test_no_inner_prediction_knows_its_own_label",
    ),
    Leak(
        "inner: a network that calibrates has trained on what it predicts",
        "training/inner.py",
        "probs = predict(np.flatnonzero(~is_out), np.flatnonzero(is_out))",
        "probs = predict(np.arange(len(targets)), np.flatnonzero(is_out))",
        "training/test_inner.py::test_each_fold_is_predicted_by_all_others",
    ),
    Leak(
        "early stopping: what stops trains as well",
        "training/descent.py",
        "train = Examples(indices[~is_inner], targets, weights)",
        "train = Examples(indices, targets, weights)",
        "training/test_descent.py::test_inner_pictures_do_not_train",
    ),
    Leak(
        "early stopping: test pictures stop",
        "training/descent.py",
        "inner = Examples(indices[is_inner], targets, weights)",
        "inner = Examples(\n"
        "        np.setdiff1d(np.arange(len(targets)), indices)[: is_inner.sum()],\n"
        "        targets,\n"
        "        weights,\n"
        "    )",
        "training/test_finetune.py::test_early_stopping_looks_at_no_test_picture",
    ),
    Leak(
        "threshold: a fold chooses when it is unsure",
        "evaluation/calibration.py",
        "probs=probs[~held_out], labels=labels[~held_out], precision=precision",
        "probs=probs, labels=labels, precision=precision",
        "evaluation/test_calibration.py"
        "::test_the_threshold_of_a_fold_is_chosen_by_the_others_alone",
    ),
    Leak(
        "threshold: a fold chooses for its source",
        "evaluation/by_source.py",
        "probs=probs[folds != fold],\n            labels=labels[folds != fold],",
        "probs=probs[folds == fold],\n            labels=labels[folds == fold],",
        "evaluation/test_by_source.py"
        "::test_the_threshold_of_a_source_is_chosen_by_other_folds",
    ),
    Leak(
        "calibration: a fold chooses its temperature",
        "evaluation/calibration.py",
        "log_probs=np.log(np.clip(probs[~held_out], 1e-12, None)),\n"
        "            labels=labels[~held_out],\n"
        "            weights=None if weights is None else weights[~held_out],",
        "log_probs=np.log(np.clip(probs, 1e-12, None)),\n"
        "            labels=labels,\n"
        "            weights=weights,",
        "evaluation/test_calibration.py::test_no_fold_sees_its_own_labels",
    ),
    Leak(
        "calibration: a fold fits its isotonic regression",
        "evaluation/calibration.py",
        "regression.fit(predicted[~held_out], happened[~held_out])",
        "regression.fit(predicted, happened)",
        "evaluation/test_calibration.py"
        "::test_isotonic_regression_never_sees_its_own_fold",
    ),
    Leak(
        "probe: test pictures train it and choose its penalty",
        "studies/probe.py",
        "features[train],\n            targets[train],\n"
        "            units=units[positions[train]],",
        "features,\n            targets,\n            units=units[positions],",
        "studies/test_probe.py"
        "::test_no_test_picture_trains_a_probe_or_chooses_its_penalty",
    ),
    Leak(
        "search: a trial is scored by what trained it",
        "studies/search/scorer.py",
        "trains = self.seen[self.folds != fold]",
        "trains = self.seen",
        "studies/search/test_scorer.py::test_what_scores_a_trial_has_not_trained_it",
    ),
    Leak(
        "search: a search sees its test fold",
        "studies/search/searches.py",
        "self._readable(part.train),\n            units",
        "self._readable(np.r_[part.train, part.test]),\n            units",
        "studies/search/test_tune.py"
        "::test_the_record_proves_that_no_search_saw_its_test_fold",
    ),
    Leak(
        "adapt: a picture is tested by what it made",
        "studies/adapting/classes.py",
        "self._train(part.train)",
        "self._train(self.looked.readable)",
        "cli/test_adapt.py::test_a_picture_is_tested_by_what_others_made",
    ),
    Leak(
        "adapt: a head is chosen on labels that trained it",
        "training/adapting.py",
        "_fit(said[train], inputs[train], targets[train])",
        "_fit(said, inputs, targets)",
        "training/test_adapting.py"
        "::test_what_a_candidate_is_judged_by_did_not_train_it",
    ),
)
