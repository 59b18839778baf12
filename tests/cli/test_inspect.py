"""`inspect`: the layers of a file, or one line that says why not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from tests.results import assert_told


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(cli, ["inspect", *map(str, arguments)])


def test_arrays_are_listed_with_their_shapes(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, **{"fc8/kernel": np.zeros((3, 2)), "fc8/bias": np.zeros(2)})
    result = invoke(path)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "fc8/kernel  array           3x2",
        "fc8/bias    array           2",
        "in all      8 parameters",
    ]
    assert_told("inspect", json.loads(invoke(path, "--json").stdout))


@pytest.mark.data
def test_a_genuine_file_is_listed_whole(shared_data):
    result = invoke(shared_data / "caffe" / "det1.caffemodel", "--json")
    report = json.loads(result.stdout)

    assert report["num_parameters"] == 6632
    (conv1,) = (row for row in report["layers"] if row["name"] == "conv1")
    assert conv1["shapes"] == [[10, 3, 3, 3], [10]]


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.pb", "neither a .caffemodel nor a .npz"), ("x.npz", "cannot be read as .npz")],
)
def test_another_file_is_refused_in_one_line(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"PK nothing")
    result = invoke(tmp_path / name)

    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
