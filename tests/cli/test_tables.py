"""Columns line up, and nothing trails."""

from __future__ import annotations

from pixsent_tf.cli.tables import print_table


def test_columns_are_as_wide_as_their_widest_cell(capsys):
    print_table([("model", "accuracy"), ("a longer name", "1")])

    assert capsys.readouterr().out == "model          accuracy\na longer name  1\n"


def test_numbers_line_up_at_the_right(capsys):
    print_table(
        [("model", "MB", "ms"), ("keras", "", ""), ("x", "13.4", "7.0")], align="right"
    )

    assert capsys.readouterr().out == "model    MB   ms\nkeras\nx      13.4  7.0\n"
