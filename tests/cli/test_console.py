"""Progress, warnings and answers: which stream, which form."""

from __future__ import annotations

import json
import os

from pixsent_tf.cli import console


def test_json_is_one_object_and_a_table_is_aligned(capsys):
    rows = [("accuracy", "0.900"), ("AUC", "0.950")]
    console.print_results(rows, {"accuracy": 0.9}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"accuracy": 0.9}

    console.print_results(rows, {}, as_json=False)
    assert capsys.readouterr().out == "accuracy  0.900\nAUC       0.950\n"


def test_a_log_gets_plain_lines_with_a_rate(capsys):
    progress = console.show_progress(quiet=False)
    with progress.step(2, "reading"):
        progress.advance(2)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("reading 2/2, ")
    assert captured.err.endswith("pictures/s\n")


def test_a_step_within_a_step_counts_for_it(capsys):
    progress = console.show_progress(quiet=False)
    with progress.step(4, "ten crops"):
        for _ in range(2):
            with progress.step(2, "predicting"):
                progress.advance(2)
    with progress.step(1, "drawing"):
        progress.advance(1)

    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [
        "ten crops 4/4",
        "drawing 1/1",
    ]


def test_quiet_shows_nothing(capsys):
    progress = console.show_progress(quiet=True)
    with progress.step(2, "reading"):
        progress.advance(2)
        progress.say("epoch 1/2")

    assert capsys.readouterr() == ("", "")


def test_what_is_said_goes_to_standard_error(capsys):
    console.show_progress(quiet=False).say("epoch 1/2")

    assert capsys.readouterr() == ("", "epoch 1/2\n")


def test_only_the_first_unreadable_pictures_are_named(capsys):
    console.warn_unreadable(
        [
            {"id": f"{n}.jpg", "reason": "empty", "message": f"{n}.jpg is empty."}
            for n in range(7)
        ]
    )

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0] == "Warning: 0.jpg is empty. It is left out."
    assert lines[-1].startswith("Warning: 2 more pictures cannot be read")


def test_messages_of_the_start_go_nowhere_and_later_ones_are_seen(capfd):
    with console.quiet_start():
        os.write(2, b"noise")
    os.write(2, b"signal")

    assert capfd.readouterr().err == "signal"
