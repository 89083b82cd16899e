"""Functions of the user's own that constraints name: run where the user names them, never because a
model file does."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthvae.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_TRUSTED: set[str] = set()


def trust(functions: Iterable[str]) -> None:
    """The user of this process names `functions`, as `module:name`: they may be imported. What only
    a model file names never is."""
    _TRUSTED.update(functions)


def named_function(named: str) -> Callable[[pd.DataFrame], Any]:
    """The function `module:name`, also of a file in the working folder. UsageError if nobody but
    the model file names it."""
    if named not in _TRUSTED:
        raise UsageError(
            f"a predicate is code, which is run where you name it, but '{named}' is only named by "
            f"the model file; if it is yours, add --predicate {named} (in Python, predicates=...)"
        )
    module, _, name = named.partition(":")
    with _importing(named):
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def file_of(named: str) -> Path | None:
    """The file that the trusted function `module:name` stands in; None if it stands in none.
    UsageError if its package can't be imported."""
    with _importing(named):
        try:
            spec = importlib.util.find_spec(named.partition(":")[0])
        except ValueError:  # of modules such as __main__
            return None
    found = Path(spec.origin) if spec is not None and spec.origin else None
    return found if found is not None and found.is_file() else None


@contextmanager
def _importing(named: str) -> Iterator[None]:
    """Modules in the working folder are found too."""
    sys.path.insert(0, os.getcwd())
    try:
        yield
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"a predicate is a function that can be imported, but '{named}' can't be ({error}); "
            "correct the name, or start from the folder that holds it"
        ) from error
    finally:
        sys.path.remove(os.getcwd())
