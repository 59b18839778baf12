"""From a model to the places that use it."""
