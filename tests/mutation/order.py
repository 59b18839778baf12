"""Which tests are likeliest to notice? Those that call the changed function, first."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest


class Order:
    """A plugin that learns which tests call which functions, or puts tests in order.

    What a fixture calls counts for every test that asks for the fixture, however far
    its scope reaches. All tests stay; only their order changes.

    Args:
        path: The module whose functions count.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: set[int] = set()
        self._by_fixture: dict[str, set[int]] = defaultdict(set)
        self._called: dict[str, set[int]] = {}
        self._seconds: dict[str, float] = {}
        self._first: dict[str, float] | None = None

    def prefer(
        self, function: int, called: dict[str, list[int]], seconds: dict[str, float]
    ) -> None:
        """Put first, quickest first, the tests that call the function of a line."""
        callers = [test for test, lines in called.items() if function in lines]
        self._first = {test: seconds[test] for test in callers}

    def learnt(self) -> dict[str, Any]:
        """What the tests call, by their names, and their seconds."""
        called = {test: sorted(lines) for test, lines in self._called.items()}
        return {"called": called, "seconds": self._seconds}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Change the order."""
        if self._first:
            first = self._first
            items.sort(key=lambda item: first.get(item.nodeid, float("inf")))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Note what a fixture calls."""
        before, self._found = self._found, set()
        yield
        self._by_fixture[fixturedef.argname] |= self._found
        self._found |= before

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Note what a test calls, itself and through its fixtures."""
        if self._first is not None:
            yield
            return
        self._found, started = set(), time.monotonic()
        sys.setprofile(self._note)
        threading.setprofile(self._note)
        yield
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        for name in item.fixturenames:
            self._found |= self._by_fixture[name]
        self._called[item.nodeid] = self._found
        self._seconds[item.nodeid] = time.monotonic() - started

    def _note(self, frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename == self._path:
            self._found.add(frame.f_code.co_firstlineno)
