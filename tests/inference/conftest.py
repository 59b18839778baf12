"""The tiny network and its pictures."""

from tests.serving.conftest import tiny_model
from tests.tiny_network import pictures, recipe_of, targets, tiny_backbone

__all__ = ["pictures", "recipe_of", "targets", "tiny_backbone", "tiny_model"]
