"""What `adapt` does with a model of classes, and with one of ratings."""
