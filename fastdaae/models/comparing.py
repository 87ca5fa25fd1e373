"""Whether a model that somebody built is the one that a run was trained with: its settings beside the run's."""

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from fastdaae.models.names import names
from fastdaae.schema import join
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
    for name, was, given in _settings(config, own):
        if _is_unknown(name, model, was, given):
            continue
        found = first_difference(was, given, name)
        if found is not None:
            _refuse(run_dir, *found)


def _settings(config: dict, own: dict, key: str = "") -> Iterator[tuple]:
    """(dotted key, the run's value, the model's value) of what both have, in the models within them too."""
    for name in [name for name in own if name in config and (key or name != "model")]:
        was, given = _settled(name, config[name]), _settled(name, own[name])
        lists = [part if isinstance(part, list) else [part] for part in (was, given)]
        if not all(isinstance(part, dict) and "model" in part for part in [*lists[0], *lists[1]]):
            yield join(key, name), was, given
        elif len(lists[0]) != len(lists[1]):
            yield join(key, name), *([part["model"] for part in parts] for parts in lists)
        else:
            for place, (before, now) in enumerate(zip(*lists, strict=True)):
                yield from _settings(before, now, join(key, f"{name}[{place}]" if isinstance(was, list) else name))


def _settled(name: str, value):
    # a decoder that says nothing ends in nn.Sigmoid
    return "probabilities" if name == "decoder_output" and value is None else value


def _is_unknown(name: str, model: nn.Module, was, given) -> bool:
    path, _, last = name.rpartition(".")
    if last == "corruption":
        return given is None and getattr(_part(model, path), "corruption", None) is not None
    return was is None or given is None


def _part(model: nn.Module, path: str) -> nn.Module:
    """The model within a model that a dotted key such as "blocks[0]" names."""
    return model.get_submodule(path.replace("[", ".").replace("]", ""))


def _refuse(run_dir: Path, name: str, was, given) -> None:
    raise ValueError(
        f"model does not fit the checkpoint in {run_dir}: its {name} is {_shown(given)} and the run's is "
        f"{_shown(was)}; pass the model of that run"
    )


def _shown(value) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
