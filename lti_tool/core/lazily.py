"""What few processes need, imported when it is first used: a process that lets people in and asks
them questions need not hold what draws plots and sets reports.

Beside each use stands the true import, ``if TYPE_CHECKING``, for whoever checks types and floors.
"""

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any, Final


class Lazily:
    """Stands for the module of that name, which is imported at the first look at it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


class _PutOff(ModuleType):
    """Lies among the modules in the place of one that is imported at the first look past what is
    known of it."""

    def __getattr__(self, attribute: str) -> Any:
        with _changing:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), attribute)


_changing: Final = threading.Lock()


def put_off(name: str, **known: object) -> None:
    """Let whoever imports the module of that name have it loaded only once they use it: what a
    library imports for a case that may never come. To be called before anybody imports it."""
    if name not in sys.modules and importlib.util.find_spec(name.partition(".")[0]):
        sys.modules[name] = module = _PutOff(name)
        vars(module).update(known)
