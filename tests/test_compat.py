"""torchvision imports beside a torch that it was not compiled for; beside the right one nothing changes."""

import subprocess
import sys

import pytest

DEFINE = """
import torch
library = torch.library.Library("torchvision", "FRAGMENT")
for name in {names}:
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl(name, lambda dets, scores, iou_threshold: scores + 1, "CPU")
print(compat.declare_missing_operators())
print(torch.ops.torchvision.nms(torch.zeros(1, 4), torch.ones(1), 0.5).item())
"""


def run(code: str) -> str:
    """Run the code in a fresh interpreter, in which a warning is an error; return what it printed."""
    code = "from instar import compat\n" + code
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def test_the_hook_does_not_import_torch() -> None:
    assert run("import sys; compat.install(); print('torch' in sys.modules)") == "False\n"


def test_installing_twice_installs_one_hook() -> None:
    code = "import sys; compat.install(); compat.install(); print(sys.meta_path.count(compat._FINDER))"
    assert run(code) == "1\n"


def test_torchvision_and_those_that_import_it_import() -> None:
    run("""
compat.install()
import torchvision, torchvision.transforms.v2, timm, transformers
from transformers import AutoModelForImageClassification
torchvision.models.resnet18()
""")


def test_operators_are_declared_just_where_torchvision_has_none() -> None:
    assert (
        run("""
compat.install()
import torchvision
lacking = not torchvision.extension._has_ops()
print(bool(compat._declared) == lacking, compat.declare_missing_operators())
""")
        == "True ()\n"
    )


def test_an_operator_that_is_present_is_left_alone() -> None:
    assert run(DEFINE.format(names=["nms"])) == "('qnms',)\n2.0\n"


def test_nothing_is_declared_where_both_are_present() -> None:
    assert run(DEFINE.format(names=["nms", "qnms"])) == "()\n2.0\n"


@pytest.mark.parametrize("name", ["nms", "qnms"])
def test_calling_a_declared_operator_says_what_is_wrong(name: str) -> None:
    printed = run(f"""
import torch
compat.declare_missing_operators()
try:
    torch.ops.torchvision.{name}(torch.zeros(1, 4), torch.ones(1), 0.5)
except RuntimeError as error:
    print(error)
""")
    assert printed.startswith(f"torchvision::{name} is not available")
