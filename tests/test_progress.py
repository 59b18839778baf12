"""Whoever works need not know whether somebody listens."""

from __future__ import annotations

from pixsent_tf.progress import NO_PROGRESS


def test_without_a_listener_nothing_is_shown(capfd):
    with NO_PROGRESS.step(2, "reading"):
        NO_PROGRESS.advance(2)
        NO_PROGRESS.say("epoch 1/2")

    assert capfd.readouterr() == ("", "")
