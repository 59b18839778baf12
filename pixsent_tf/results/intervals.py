"""How are intervals told?"""

from __future__ import annotations

from typing import TypeAlias

Interval: TypeAlias = list[float]  # its lower and its upper bound
