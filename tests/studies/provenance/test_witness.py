"""A witness notes what a training was shown, and shows it no other labels."""

from __future__ import annotations

import numpy as np

from pixsent_tf.studies.provenance.witness import Witness


def test_labels_that_are_not_trained_on_are_blank():
    seen = []

    class Curious:
        def fit(self, indices, targets, *, units, checkpoints):
            seen.append(targets)

    Witness(Curious()).fit(np.array([1, 2]), np.eye(4, dtype="float32"))

    (targets,) = seen
    assert np.isnan(targets[[0, 3]]).all()
    assert targets[[1, 2]].tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
