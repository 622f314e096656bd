"""Generated text as importable modules in a cache folder, so that compilers can keep what they made across runs."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from types import ModuleType

from tissuesim.cache_folder import cache_folder


def load_generated(text: str, stem: str, depends_on: str = "") -> ModuleType:
    """Import ``text`` as a module named after its content.

    ``depends_on`` is the text of everything the module calls: a change there gives a new module, since compiled
    caches know only the file they belong to.
    """
    digest = hashlib.sha256((text + "\0" + depends_on).encode()).hexdigest()[:20]
    name = f"tissuesim_generated_{stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = cache_folder() / "generated" / f"{name}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
