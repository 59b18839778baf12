"""From a recipe and pictures to weights."""
