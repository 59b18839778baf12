"""A local web page: drop pictures, see what a model says and where it looks."""
