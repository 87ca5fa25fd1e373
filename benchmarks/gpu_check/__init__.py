"""Everything that only a machine with a GPU can show: `make gpu-check`.

Six parts, each with a limit in seconds: the machine's facts, the build, every GPU test (a skip is a failure), the
benchmarks, Nsight Compute over one launch of every kernel, compute-sanitizer over the same. A part is cut into groups,
each a process of its own, so that an illegal access or a time-out spoils one group alone. What they print passes
through as it comes and into log.txt; every test, benchmark row and group appends one JSON line to rows.jsonl at once.
Both stand in the folder that --out names, and nothing is lost when a group, or all of it, is stopped.
"""
