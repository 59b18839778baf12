"""Errors: the tree in the docstring is the tree in the code."""

from __future__ import annotations

import inspect
import re

from pixsent_tf import errors


def test_the_drawn_tree_is_the_real_one():
    drawn = re.findall(r"(\w+Error)\b", errors.__doc__)
    classes = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]

    assert sorted(drawn) == sorted(classes)


def test_bad_usage_exits_with_two_and_every_other_failure_with_one():
    assert errors.ConfigError("").exit_code == 2
    assert errors.UsageError("").exit_code == 2
    assert errors.DataError("").exit_code == 1
    assert errors.RunError("").exit_code == 1


def test_an_image_error_carries_its_reason():
    assert errors.ImageError("x.jpg is empty.", "empty").reason == "empty"
