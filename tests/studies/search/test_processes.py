"""Keras Tuner's variables tell a process its part in a search."""

from __future__ import annotations

from pixsent_tf.studies.search.processes import await_chief, own_port, role


def test_the_role_is_read_from_keras_tuners_variables(monkeypatch):
    assert role() == "alone"
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    assert role() == "chief"
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "worker-3")
    assert role() == "worker"


def test_each_search_has_a_port_of_its_own(monkeypatch):
    import os

    with own_port(3):
        assert "KERASTUNER_ORACLE_PORT" not in os.environ
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
    with own_port(3):
        assert os.environ["KERASTUNER_ORACLE_PORT"] == "8002"
    assert os.environ["KERASTUNER_ORACLE_PORT"] == "8000"


def test_a_worker_waits_until_the_chief_listens_or_the_search_is_over(monkeypatch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "127.0.0.1")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", str(port))
        assert await_chief(lambda: False) is True
    answers = iter([False, False, True])
    assert await_chief(lambda: next(answers)) is False
