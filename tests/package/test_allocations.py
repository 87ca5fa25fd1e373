"""No result's dtype or device is left to the process's defaults: read off the sources."""

import ast
from pathlib import Path

import fastdaae as fd

PACKAGE = Path(fd.__file__).parent
FACTORIES = {
    *("empty", "zeros", "ones", "full", "tensor", "arange", "linspace", "logspace", "eye"),
    *("rand", "randn", "randint", "randperm"),
}
KERNEL_FACTORY = "memory.py"  # the launchers' one way to a new tensor


def factory_calls(path: Path) -> list[tuple[int, str, set[str]]]:
    """(line, function, keywords) of each call of a torch function that makes a tensor out of no other."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [
        (call.lineno, call.func.attr, {keyword.arg for keyword in call.keywords})
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "torch"
        and call.func.attr in FACTORIES | {"as_tensor"}
    ]


def test_every_new_tensor_names_its_dtype_and_device():
    files = list(PACKAGE.rglob("*.py"))
    assert sum(len(factory_calls(path)) for path in files) > 10
    for path in files:
        for line, function, named in factory_calls(path):
            needed = {"device"} if function == "as_tensor" else {"dtype", "device"}
            missing = needed - named
            assert not missing, f"{path.relative_to(PACKAGE)}:{line} torch.{function} names no {sorted(missing)}"


def test_kernel_launchers_allocate_in_one_place():
    for path in (PACKAGE / "kernels").glob("*.py"):
        if path.name != KERNEL_FACTORY:
            assert not factory_calls(path), f"kernels/{path.name} makes tensors past kernels/{KERNEL_FACTORY}"


def test_no_factory_is_imported_by_its_bare_name():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "torch":
                assert not {alias.name for alias in node.names} & FACTORIES, path
