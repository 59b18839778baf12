"""Damages bytes as disks, networks and people with a hex editor do; all from a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# Numbers at which counts, lengths and signs turn over.
_EDGES = (0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF)
_WIDE = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_TOKENS = (
    *(b"\0", b"\n", b'"', b"'", b",", b"{", b"[", b"}", b"]", b"..", b"/", b"\xff"),
    *(b"NaN", b"-1", b"1e999", b"9" * 40, b"null", b"true", b"\xff\xda", b"\xff\xd9"),
)


def mutations(seeds: list[bytes], count: int, *, seed: int = 0) -> Iterator[bytes]:
    """Damage some good contents in turn.

    Args:
        seeds: Good contents.
        count: How many to make.
        seed: Of the damages.

    Yields:
        Contents with one to five damages each.
    """
    generator = np.random.default_rng(seed)
    for number in range(count):
        content = bytearray(seeds[number % len(seeds)])
        for _ in range(int(generator.integers(1, 6))):
            _damage(content, generator)
        yield bytes(content)


def _damage(content: bytearray, generator: np.random.Generator) -> None:
    """Damage one place."""
    kind = int(generator.integers(8))
    # Headers, which come first, decide the most.
    most = len(content) if generator.random() < 0.5 else min(len(content), 64)
    place = int(generator.integers(most)) if most else 0
    if kind == 0 and content:
        content[place] ^= 1 << int(generator.integers(8))
    elif kind == 1 and content:
        content[place] = int(generator.choice(_EDGES))
    elif kind == 2:
        wide = int(generator.choice(_WIDE))
        order = "big" if generator.random() < 0.5 else "little"
        content[place : place + 4] = wide.to_bytes(4, order)
    elif kind == 3:
        del content[place:]
    elif kind == 4:
        del content[place : place + int(generator.integers(1, 64))]
    elif kind == 5:
        part = content[place : place + int(generator.integers(1, 200))]
        content[place:place] = part * int(generator.integers(1, 5))
    elif kind == 6:
        content[place:place] = generator.bytes(int(generator.integers(1, 32)))
    else:
        content[place:place] = _TOKENS[int(generator.integers(len(_TOKENS)))]
