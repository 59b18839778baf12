"""What of this machine a network may take."""

from __future__ import annotations

import os

import pytest

from pixsent_tf.errors import ConfigError
from pixsent_tf.machine import max_feature_bytes, num_cores, wanted_engine


def test_only_the_cores_that_the_process_may_use_are_counted():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert num_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert num_cores() == len(before)


def test_the_engine_is_auto_where_nothing_is_said(monkeypatch):
    monkeypatch.delenv("PIXSENT_ENGINE", raising=False)

    assert wanted_engine() == "auto"


def test_an_engine_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setenv("PIXSENT_ENGINE", "steam")

    with pytest.raises(ConfigError, match="'steam' is no engine; it is one of auto, "):
        wanted_engine()


@pytest.mark.parametrize(
    ("said", "expected"), [("", 4_000_000_000), ("0", 0), ("0.5", 500_000_000)]
)
def test_features_may_take_what_is_said_in_gigabytes(monkeypatch, said, expected):
    monkeypatch.setenv("PIXSENT_FEATURES_GB", said)

    assert max_feature_bytes() == expected


@pytest.mark.parametrize("said", ["-1", "much", "nan", "inf"])
def test_room_for_features_that_is_no_number_is_refused(monkeypatch, said):
    monkeypatch.setenv("PIXSENT_FEATURES_GB", said)

    with pytest.raises(ConfigError, match=f"PIXSENT_FEATURES_GB='{said}' is no number"):
        max_feature_bytes()
