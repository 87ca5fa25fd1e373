"""Whether a model that somebody built is the one that a run was trained with: its settings beside the run's."""

from pathlib import Path

from torch import nn

from fastdaae.models.names import names
from fastdaae.settings import canonical, first_difference

_LONGEST = 200  # letters of a value that is quoted


def require_same(model: nn.Module, config: dict, run_dir: Path) -> None:
    """Raises ValueError, with both values, where a setting of the model differs from the one in the run's `config`.

    Parts of one's own, which stand as null in a configuration, are left out on either side: their parameters tell.
    """
    own = getattr(model, "config", None)
    if not isinstance(own, dict):
        return
    own = canonical("model", own)
    kinds = config.get("model"), own.get("model")
    if kinds[0] != kinds[1] and all(kind in names("model") for kind in kinds):
        _refuse(run_dir, "class", *kinds)
    for name in [name for name in own if name in config and name != "model"]:
        was, given = _settled(name, config[name]), _settled(name, own[name])
        if _is_unknown(name, model, was, given):
            continue
        found = first_difference(was, given, name)
        if found is not None:
            _refuse(run_dir, *found)


def _settled(name: str, value):
    # a decoder that says nothing ends in nn.Sigmoid
    return "probabilities" if name == "decoder_output" and value is None else value


def _is_unknown(name: str, model: nn.Module, was, given) -> bool:
    if name == "corruption":
        return given is None and getattr(model, "corruption", None) is not None
    return was is None or given is None


def _refuse(run_dir: Path, name: str, was, given) -> None:
    raise ValueError(
        f"model does not fit the checkpoint in {run_dir}: its {name} is {_shown(given)} and the run's is "
        f"{_shown(was)}; pass the model of that run"
    )


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
