"""Let torchvision import beside a build of torch that it was not compiled for.

torchvision on PyPI is compiled for CUDA. Beside a CPU build of torch its library of C++ operators cannot be
loaded; torchvision tolerates that, then attaches shape functions to two of those operators all the same, and
``import torchvision`` ends with "operator torchvision::nms does not exist"
(https://github.com/pytorch/vision/issues/9077). instar needs none of its operators, only its networks and
transforms, and timm and transformers import it as well. So the two operators are declared, without a kernel
that computes anything, at the one moment when it is known whether they are missing: after torchvision has
tried to load its library (``torchvision.extension``) and before it attaches the shape functions
(``torchvision._meta_registrations``). Beside a matching torch nothing is declared.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import torch

OPERATORS = ("nms", "qnms")
_ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_declared: list["torch.library.Library"] = []
"""torch drops what a `Library` declared when that object is collected, so it is kept here."""


def declare_missing_operators() -> tuple[str, ...]:
    """Declare those of `OPERATORS` that torch does not know, and return their names.

    A declared operator raises `RuntimeError` when it is called. torch is imported here, not before.
    """
    import torch

    missing = tuple(name for name in OPERATORS if not _is_known(name))
    if missing:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in missing:
            library.define(name + _ARGUMENTS)
            library.impl(name, _absent(name), "CompositeExplicitAutograd")
        _declared.append(library)
    return missing


def install() -> None:
    """Watch for the first import of torchvision; importing torch is left to whoever does that.

    Calling it again changes nothing. It has to run before torchvision is imported, so ``instar/__init__.py``
    calls it.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


class _Finder(MetaPathFinder):
    """Finds no module itself: it only notices that torchvision has reached its shape functions."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "torchvision._meta_registrations":
            declare_missing_operators()
        return None


_FINDER = _Finder()


def _is_known(name: str) -> bool:
    import torch

    try:
        getattr(torch.ops.torchvision, name)
    except AttributeError:
        return False
    return True


def _absent(name: str) -> object:
    def kernel(*_: object) -> NoReturn:
        raise RuntimeError(
            f"torchvision::{name} is not available: the installed torchvision was built for another build of "
            "torch. Install torch and torchvision from the same index."
        )

    return kernel
