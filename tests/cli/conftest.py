"""The small run and export that the tests of `serving` use."""

from tests.serving.conftest import tiny_export, tiny_model, tiny_run

__all__ = ["tiny_export", "tiny_model", "tiny_run"]
