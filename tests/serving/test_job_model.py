from __future__ import annotations

import pytest

from pixsent_tf.errors import ExportError, UsageError
from pixsent_tf.serving.job_model import fingerprint, to_saved_model


def test_a_run_and_its_file_are_the_same_model(tiny_run):
    assert fingerprint(str(tiny_run.path)) == fingerprint(str(tiny_run.model_path))


def test_another_content_is_another_model(tiny_run, tmp_path):
    other = tmp_path / "other.keras"
    other.write_bytes(tiny_run.model_path.read_bytes() + b"\0")

    assert fingerprint(str(other)) != fingerprint(str(tiny_run.path))


def test_a_model_folder_is_its_latest_version(tiny_export):
    assert fingerprint(str(tiny_export.parent)) == fingerprint(str(tiny_export))
    assert to_saved_model(str(tiny_export.parent), "unused") == str(tiny_export)


def test_a_run_is_exported_once(tiny_run, tmp_path):
    first = to_saved_model(str(tiny_run.path), str(tmp_path))
    written = (tmp_path / "model" / "1" / "saved_model.pb").stat().st_mtime_ns

    assert to_saved_model(str(tiny_run.path), str(tmp_path)) == first
    assert (tmp_path / "model" / "1" / "saved_model.pb").stat().st_mtime_ns == written


def test_a_run_cannot_be_exported_to_where_only_workers_write(tiny_run):
    with pytest.raises(UsageError, match="Workers cannot read"):
        to_saved_model(str(tiny_run.path), "gs://bucket/t.parquet.parts")


def test_a_model_on_other_storage_is_taken_as_it_is():
    path = "gs://bucket/models/sentiment/1"

    assert (fingerprint(path), to_saved_model(path, "gs://x.parts")) == (path, path)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(ExportError, match="holds no SavedModel"):
        to_saved_model(str(tmp_path), "unused")
