"""Folders of labelled pictures, as people have them."""
