"""Builds the C++ engine and its driver with AddressSanitizer and UndefinedBehaviourSanitizer, and runs it.

Usage: python tests/sanitize/run.py BUILD_FOLDER. FASTDAAE_PORTABLE=1 takes the portable and the emulated kernels alone.
Exits with the driver's status; a report of a sanitiser ends it.
"""

import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# -O1 keeps the vector code vectors and the reports readable, which name lines with -g1 too
FLAGS = ["-O1", "-g1", "-std=c++17", "-fopenmp", "-fno-math-errno", "-fno-omit-frame-pointer"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def load_setup():
    """setup.py as a module: it knows the sources and the flags of every instruction set."""
    spec = importlib.util.spec_from_file_location("fastdaae_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources(setup) -> list[tuple[Path, str, list[str]]]:
    """(source, object name, flags) of the engine without its bindings, and of the driver."""
    kernels = setup.kernel_objects(platform.machine())
    x86 = ["-DFASTDAAE_WITH_X86"] if any(name == "avx2" for _, name, _ in kernels) else []
    plain = [source for source in setup.SOURCES if source not in setup.BINDINGS]
    drivers = sorted(str(path.relative_to(ROOT)) for path in Path(__file__).parent.glob("*.cpp"))
    jobs = [(ROOT / source, setup.object_name(source), x86) for source in plain + drivers]
    emulated = ["-DFASTDAAE_ISA=emulated", "-DFASTDAAE_EMULATED_BF16", "-DFASTDAAE_EMULATED_BYTES"]
    for name in ("layers", "parzen", "neighbors"):
        jobs.append((ROOT / f"csrc/cpu/{name}/{name}.cpp", f"{name}_emulated", emulated))
    return jobs + [
        (ROOT / source, f"{setup.object_name(source)}_{name}", [f"-DFASTDAAE_ISA={name}", *flags])
        for source, name, flags in kernels
    ]


def build(folder: Path) -> Path:
    """The driver, built with ninja in the folder."""
    setup = load_setup()
    compiler, program = setup.find_compiler(os.environ), folder / "drive"
    command = setup.ninja_command([*compiler, *FLAGS, *SANITIZERS])
    lines = [*setup.ninja_rule("compile", f"{command} $flags"), "rule link"]
    lines.append(f"  command = {command} $in -o $out")
    objects = []
    for source, name, flags in sources(setup):
        objects.append(setup.ninja_path(folder / f"{name}.o"))
        lines += [f"build {objects[-1]}: compile {setup.ninja_path(source)}", f"  flags = {setup.ninja_command(flags)}"]
    lines.append(f"build {setup.ninja_path(program)}: link {' '.join(objects)}")
    folder.mkdir(parents=True, exist_ok=True)
    setup.run_ninja("\n".join(lines) + "\n", folder)
    return program


def main() -> int:
    program = build(Path(sys.argv[1]).resolve())
    # the threads of OpenMP live to the end, and so does what they hold
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1"}
    environment["OMP_WAIT_POLICY"] = "passive"  # many small calls: threads that spin would starve one another
    return subprocess.run([program], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
