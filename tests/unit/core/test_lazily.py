"""Modules that are imported once somebody uses them, and not before."""

import importlib
import sys
from pathlib import Path

import pytest

from lti_tool.core.lazily import put_off


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One that fails where it is imported twice."""
    name = "put_off_for_a_test"
    (tmp_path / f"{name}.py").write_text("import sys\nsys.was_loaded.append(1)\nanswer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "was_loaded", [], raising=False)
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_it_is_loaded_at_the_first_look_and_once(module: str) -> None:
    put_off(module, __version__="1.2", __path__=[])
    held = importlib.import_module(module)
    exec(f"from {module} import __version__")  # as a library does
    assert held.__version__ == "1.2"
    assert sys.was_loaded == []  # type: ignore[attr-defined]
    assert held.answer == 42
    assert held.answer == importlib.import_module(module).answer
    assert sys.was_loaded == [1]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="nothing"):
        held.nothing  # noqa: B018


def test_one_that_is_loaded_already_stays(module: str) -> None:
    real = importlib.import_module(module)
    put_off(module)
    assert importlib.import_module(module) is real


def test_one_that_is_not_installed_is_missed_where_it_is_imported() -> None:
    put_off("not_installed_anywhere")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_installed_anywhere")
