"""From a model and pictures to numbers."""
