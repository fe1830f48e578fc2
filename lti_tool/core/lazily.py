"""What few processes need, imported when it is first used: a process that lets people in and asks
them questions need not hold what draws plots and sets reports.

Beside each use stands the true import, ``if TYPE_CHECKING``, for whoever checks types and floors.
"""

import importlib
from typing import Any


class Lazily:
    """Stands for the module of that name, which is imported at the first look at it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)
