"""A folder for each kind of tower, written once."""

from __future__ import annotations

import pytest

from tests.small_presets import write


@pytest.fixture(scope="session")
def preset_of(tmp_path_factory):
    """Write a preset of a kind; give its folder, and the network it holds."""
    pytest.importorskip("keras_hub")
    folder, known = tmp_path_factory.mktemp("presets"), {}

    def get(kind):
        if kind not in known:
            known[kind] = folder / kind, write(kind, folder / kind)
        return known[kind]

    return get
