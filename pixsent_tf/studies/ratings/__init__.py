"""Studies of models that answer with ratings."""
