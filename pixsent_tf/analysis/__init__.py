"""From a model and pictures to reasons."""
