"""`fastdaae evaluate` and `fastdaae report`."""

import fastdaae as fd
from fastdaae import run_config, run_folder
from fastdaae.cli.console import say, show, working
from fastdaae.cli.work.bandwidths import bandwidth_grid, ends_told
from fastdaae.cli.work.opening import open_model, own_modules
from fastdaae.cli.work.tables import evaluation_table
from fastdaae.device import choose_device
from fastdaae.evaluation import evaluate as evaluate_model
from fastdaae.evaluation import read_evaluation, write_evaluation
from fastdaae.reporting import dataset_of_run, staleness


def evaluate(
    *, run, data, measures, samples, steps, k, seeds, bandwidths, networks, precision, device, seed, root
) -> None:
    """Measure a run's model, write evaluation.json and print it."""
    grid = bandwidth_grid(bandwidths)
    wanted = None if measures is None else [name.strip() for name in measures.split(",") if name.strip()]
    checkpoint = run_folder.checkpoint_state(run)._asdict()
    model, config = open_model(run, networks, device)
    dataset = dataset_of_run(run, config, data, root)
    how = {"samples": samples, "steps": steps, "k": k, "seeds": seeds, "seed": seed, "precision": precision}
    how |= {"measures": wanted, "bandwidths": grid}
    facts = {"model": type(model).__name__, "data": dataset.name, "seed": seed, "checkpoint": checkpoint}
    with ends_told():
        with working(f"evaluating {facts['model']} on {facts['data']}") as tell:
            taken = evaluate_model(model, dataset, report=lambda stage: tell(f"evaluating: {stage}"), **how)
        write_evaluation(run, taken, **facts)
        show(evaluation_table(taken, f"{facts['model']} on {facts['data']}"))
    say(f"numbers in {run / run_folder.EVALUATION}")


def report(*, run, data, networks, device, seed, root) -> None:
    """Write a run's report, and say so where its numbers are of another state of the run."""
    target, config = choose_device(device), run_config.read_config(run, "a report")
    own = own_modules(run, config, networks)
    with working("drawing the report"):
        page = fd.report(run, data=data, networks=own, root=root, seed=seed, device=target)
    evaluation = read_evaluation(run)
    measured_at = None if evaluation is None else evaluation.checkpoint
    stale = staleness.outdated(measured_at, run_folder.checkpoint_state(run)._asdict())
    if stale:
        say((stale, "yellow"))
    say(f"report in {page}")
