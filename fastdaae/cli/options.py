"""Options that several commands have, in the same words."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

RunFolder = Annotated[Path, Argument(help="The folder of a run, as written by `fastdaae train --out`.")]
Root = Annotated[Path | None, Option(help="Where data sets lie (default: the environment's FASTDAAE_DATA).")]
Seed = Annotated[int, Option(help="Seed of all random numbers.")]
Device = Annotated[str, Option(help="auto, cpu, cuda or cuda:1; auto takes a GPU where there is one.")]
Precision = Annotated[str, Option(help="fp32 or bf16.")]
Networks = Annotated[
    str | None,
    Option(metavar="<file.py:make>", help="Your own networks: the function that made them for `fastdaae train`."),
]
RunData = Annotated[
    str | None, Option(help="The run's data set, where it was trained from Python or its data moved (name or path).")
]
Bandwidths = Annotated[
    str | None,
    Option(help="Bandwidths to choose from: 0.1,0.2,0.4, or low:high:count as in 0.05:0.5:20 (default: 0.1:1:10)."),
]
Bandwidth = Annotated[float | None, Option(help="A fixed bandwidth (default: chosen on the validation images).")]
