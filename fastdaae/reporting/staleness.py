"""Whether measures are of the model that a run's checkpoint holds now."""

from collections.abc import Mapping

_FACTS = ("run_id", "epoch", "step")


def outdated(then: Mapping | None, now: Mapping | None) -> str | None:
    """A sentence where the state that was measured is not the one of now; None where they agree or one is unknown."""
    if not then or not now:
        return None
    shared = [name for name in _FACTS if then.get(name) is not None and now.get(name) is not None]
    if all(then[name] == now[name] for name in shared):
        return None
    again = "run fastdaae evaluate again"
    if "run_id" in shared and then["run_id"] != now["run_id"]:
        return f"These numbers are of another run, which was in this folder before: {again}."
    return f"These numbers were measured at {_place(then)}, and the run is now at {_place(now)}: {again}."


def _place(state: Mapping) -> str:
    return ", ".join(f"{name} {state[name]:,}" for name in ("epoch", "step") if name in state)
