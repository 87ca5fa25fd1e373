"""The floors of the house: each part imports only what stands below it, and nobody reaches into another's privacy."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import fastdaae as fd
from fastdaae import kernels
from tests import nursery

PACKAGE = Path(fd.__file__).parent
ROOT = PACKAGE.parent
# each may import only what stands in an earlier line
LAYERS = [
    {"arguments", "arrays", "reading", "pixels", "device", "schema", "settings", "output"},
    {"noise", "corruptions", "activation", "backend", "run_folder", "images"},
    {"draw", "run_config"},
    {"reference"},
    {"kernels.compiled", "kernels.registration", "kernels.memory", "kernels.second_derivatives"},
    {"kernels.cpp", "kernels.triton", "kernels.cuda"},
    {"ops", "machine"},
    {"networks", "priors"},
    {"models", "training", "evaluation", "data"},
    {"experiments"},
    {"reporting"},
    {"cli"},
]
ABOVE_THE_OPERATORS = {"networks", "priors", "models", "training", "evaluation", "data", "experiments", "reporting"}
RECORDS = {"_replace", "_asdict", "_fields", "_make"}  # of named tuples, public whatever their first letter


def sources() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def part_of(module: str) -> str:
    """The part that a module "fastdaae.…" belongs to: a room for the kernels, else what stands below the package."""
    names = module.split(".")[1:]
    return ".".join(names[:2] if names[0] == "kernels" and len(names) > 1 else names[:1])


def module_of(path: Path) -> str:
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports(path: Path) -> Iterator[tuple[str, str, str]]:
    """(module or name of fastdaae, its last name, the name it is bound to), anywhere in a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "fastdaae":
            for alias in node.names:
                yield f"{node.module}.{alias.name}", alias.name, alias.asname or alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "fastdaae":
                    yield alias.name, alias.name, alias.asname or alias.name
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path} imports relatively"


def imported_parts(path: Path) -> set[str]:
    return {part_of(name) for name, _, _ in imports(path) if name != "fastdaae"}


def test_layers_import_only_what_stands_below_them():
    level = {part: number for number, layer in enumerate(LAYERS) for part in layer}
    assert len(sources()) > 40
    for path in sources():
        part = part_of(module_of(path))
        for other in imported_parts(path) - {part}:
            assert level[other] < level.get(part, 0), f"{path.relative_to(ROOT)} imports fastdaae.{other}"


def test_every_part_has_its_layer_and_every_layer_its_parts():
    found = {part_of(module_of(path)) for path in sources()} - {"kernels"}
    assert found == set().union(*LAYERS)


def test_rooms_never_import_each_other():
    rooms = {"kernels.cpp", "kernels.triton", "kernels.cuda"}
    for path in sources():
        part = part_of(module_of(path))
        if part in rooms:
            assert not imported_parts(path) & (rooms - {part}), path


def test_rooms_use_the_same_words():
    """A family has one name in each room, and says there what it cannot take."""
    families = ("corruption", "random", "layers", "chain", "parzen")
    for family in families:
        rooms = [importlib.import_module(f"fastdaae.kernels.{room}.{family}") for room in ("cpp", "triton")]
        assert all(callable(room.problem) for room in rooms), family
    assert callable(importlib.import_module("fastdaae.kernels.cpp.neighbors").problem)
    assert callable(importlib.import_module("fastdaae.kernels.cuda.neighbors").problem)


def test_no_private_name_crosses_a_module():
    for path in sources():
        bound = {}
        for name, last, local in imports(path):
            private = last.startswith("_") and last != "_cpp"
            assert not private, f"{path.relative_to(ROOT)} imports {name}"
            bound[local] = name
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")):
                continue
            base = ast.unparse(node.value)
            reached = bound.get(base) or bound.get(base.split(".")[0])
            assert reached is None or node.attr in RECORDS, f"{path.relative_to(ROOT)}: {base}.{node.attr}"


def test_models_and_measures_know_no_kernels_and_no_backends():
    for path in sources():
        part = part_of(module_of(path))
        if part not in ABOVE_THE_OPERATORS:
            continue
        parts = imported_parts(path)
        assert "backend" not in parts and not any(other.startswith("kernels") for other in parts), path
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        named = [call.lineno for call in calls for given in call.keywords if given.arg == "backend"]
        assert not named, f"{path.relative_to(ROOT)}:{named} names a backend"


def test_the_compiled_module_is_imported_in_one_place():
    """Beside the probe for it, one module of the kernels hands it out."""
    compiled, importers = "fastdaae._cpp", set()
    for path in sources():
        written = {node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant)}
        if compiled in written or compiled in {name for name, _, _ in imports(path)}:
            importers.add(module_of(path))
    assert importers == {"fastdaae.backend", "fastdaae.kernels.compiled"}


def test_arrays_become_tensors_in_one_place():
    users = {module_of(path) for path in sources() if "torch.from_numpy" in path.read_text()}
    assert users == {"fastdaae.arrays"}


def test_kernel_rooms_need_neither_triton_nor_a_gpu_to_be_imported():
    folder = Path(kernels.__file__).parent / "triton"
    names = [
        f"fastdaae.kernels.triton.{found.name}" for found in pkgutil.iter_modules([str(folder)]) if not found.ispkg
    ]
    assert len(names) >= 5
    code = f"""
import sys
sys.modules["triton"] = None
import importlib, torch
for name in {names!r} + ["fastdaae.ops", "fastdaae.kernels.cuda.neighbors"]:
    importlib.import_module(name)
print(torch.cuda.is_initialized())
"""
    done = nursery.run(code, folder=ROOT)
    assert done.stdout.split() == ["False"], done.stderr


def test_only_one_cpp_folder_knows_python():
    knows = [path for path in (ROOT / "csrc").rglob("*") if path.is_file() and "pybind11" in path.read_text()]
    assert {path.parent.name for path in knows} == {"python"}
