"""`--batch-size`: a number, or whatever fits into memory."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pixsent_tf.cli import cli
from pixsent_tf.training import views
from tests.tiny_network import tiny_backbone

__all__ = ["tiny_backbone"]


@pytest.fixture
def tried(monkeypatch):
    """The batch sizes that were tried; more than 8 pictures do not fit."""
    sizes, batches = [], views.training_batches

    def limited(*arguments, batch_size, **options):
        sizes.append(batch_size)
        if batch_size > 8:
            raise MemoryError
        return batches(*arguments, batch_size=batch_size, **options)

    monkeypatch.setattr(views, "training_batches", limited)
    return sizes


def fit(folder, out, *options):
    """Fine-tune the tiny network."""
    arguments = ["fit", str(folder), "--out", str(out), "--backbone", "tiny", "--quiet"]
    arguments += ["--set", "model.weights=None", "--set", "training.epochs=1"]
    return CliRunner().invoke(cli, [*arguments, "--strategy", "all", *options])


def test_auto_halves_until_it_fits(tried, colored_folder, tmp_path):
    result = fit(colored_folder, tmp_path / "run", "--batch-size", "auto")

    assert result.exit_code == 0, result.output
    assert tried == [32, 16, 8, 8]  # the first network calibrates the second
    assert [line for line in result.stderr.splitlines() if "memory" in line] == [
        "Warning: Steps of 32 pictures do not fit into memory; going on with 16.",
        "Warning: Steps of 16 pictures do not fit into memory; going on with 8.",
    ]
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["training"]["batch_size"] == 8
    again = fit(colored_folder, tmp_path / "run", "--batch-size", "auto")
    assert again.exit_code == 0, again.output


def test_a_number_is_kept_to(tried, colored_folder, tmp_path):
    result = fit(colored_folder, tmp_path / "run", "--batch-size", "12")

    assert result.exit_code == 1
    assert tried == [12]
    (line,) = result.stderr.splitlines()
    assert "steps of 12 pictures; try --batch-size 6 with another --out, or" in line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--batch-size", "0"), "--batch-size"),
        (("--batch-size", "many"), "--batch-size"),
        (
            ("--strategy", "head", "--batch-size", "auto"),
            "--batch-size does nothing with --strategy head",
        ),
    ],
)
def test_what_is_no_size_or_has_no_use_is_refused(
    colored_folder, tmp_path, options, message
):
    out = str(tmp_path / "run")
    result = CliRunner().invoke(
        cli, ["fit", str(colored_folder), "--out", out, *options]
    )

    assert result.exit_code == 2
    assert message in result.stderr
