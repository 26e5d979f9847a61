"""Drivers are found by the name of their file: a module of a package of drivers that does not begin with `_`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def names(package: ModuleType) -> list[str]:
    """Every driver in the package."""
    return sorted(m.name for m in iter_modules(package.__path__) if not m.name.startswith("_"))


def load(package: ModuleType, name: str) -> ModuleType:
    """The driver of that name. Raises KeyError when the package has none, whatever else `name` may be."""
    if name not in names(package):
        raise KeyError(name)
    return import_module(f"{package.__name__}.{name}")
