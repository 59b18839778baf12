"""KerasHub is loaded with the kernels that its towers are safe with."""

from __future__ import annotations

import os

import pytest

from pixsent_tf.models.towers.hub import ONEDNN_ISA, load_hub


@pytest.mark.parametrize(("said", "taken"), [(None, "AVX2"), ("SSE41", "SSE41")])
def test_towers_are_kept_from_the_kernels_that_crash(said, taken, monkeypatch):
    pytest.importorskip("keras_hub")
    monkeypatch.setenv(ONEDNN_ISA, said or "")
    if said is None:
        monkeypatch.delenv(ONEDNN_ISA)

    load_hub("a tower")

    assert os.environ[ONEDNN_ISA] == taken
