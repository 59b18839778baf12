"""A witness notes what a training was shown, and shows it no other labels."""

from __future__ import annotations

import numpy as np

from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.studies.provenance.witness import Witness
from pixsent_tf.training.heads import HeadLearner


def test_labels_that_are_not_trained_on_are_blank():
    seen = []

    class Curious:
        def read(self, paths):
            seen.append(paths)

        def fit(self, indices, targets, *, units, checkpoints):
            seen.append(targets)
            return self

        def probs(self, indices):
            return indices

    witness = Witness(Curious())
    witness.read("abcd")
    fitted = witness.fit(np.array([1, 2]), np.eye(4, dtype="float32"))
    said = witness.validate(fitted, np.array([3, 0]))

    paths, targets = seen
    assert paths == "abcd"
    assert said.tolist() == [3, 0]
    assert (witness.trained, witness.validated) == ({1, 2}, {0, 3})
    assert np.isnan(targets[[0, 3]]).all()
    assert targets[[1, 2]].tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]


def test_ratings_that_are_not_trained_on_are_blank(monkeypatch):
    seen = []

    def curious(self, indices, ratings, *, units, checkpoints):
        seen.append(ratings)

    monkeypatch.setattr(HeadLearner, "fit_ratings", curious)
    known = np.array([[1.0], [2.0], [3.0], [4.0]])
    ratings = Ratings(("valence",), known, (1, 7), known / 10, known * 10)
    witness = Witness(object.__new__(HeadLearner))

    witness.fit_ratings(np.array([1, 2]), ratings)

    (shown,) = seen
    for values in (shown.values, shown.spreads, shown.counts):
        assert np.isnan(values[[0, 3]]).all()
    np.testing.assert_array_equal(shown.values[[1, 2]], [[2], [3]])
    assert witness.trained == {1, 2}
