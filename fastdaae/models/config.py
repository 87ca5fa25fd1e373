"""A model to and from plain dictionaries, ready for JSON: what its constructor takes, under the same names."""

import inspect
from collections.abc import Callable, Iterator

from torch import nn

from fastdaae.models.names import find, is_ours, names
from fastdaae.schema import join, mapping
from fastdaae.settings import canonical

_PARTS = ("corruption", "prior")
_DEEPEST = 16  # models within models, which a damaged file may have without end
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def parameters_of(make: Callable) -> dict[str, inspect.Parameter]:
    """What a constructor takes, by name; what a class hands on as *arguments or **choices is looked up in its bases."""
    is_class = isinstance(make, type)
    bases = make.__mro__ if isinstance(make, type) else ()
    makers = [vars(base)["__init__"] for base in bases if "__init__" in vars(base)] or [make]
    found: dict[str, inspect.Parameter] = {}
    for maker in makers:
        own = list(inspect.signature(maker).parameters.values())[is_class:]
        found = {**{one.name: one for one in own if one.kind not in _VARIADIC}, **found}
        if not any(one.kind in _VARIADIC for one in own):
            break
    return found


def to_config(model: nn.Module) -> dict:
    """What makes a model, ready for JSON; a network, a prior or another part that is not ours stands as null.

    A model within the model stands there as its own configuration, and a list of them as a list.
    """
    taken = parameters_of(type(model))
    written = {name: _written(name, getattr(model, name, None)) for name in taken}
    # a class of one's own need not hand this on, and its runs know it all the same
    learned = {"image_shape": canonical("image_shape", model.image_shape)} if hasattr(model, "image_shape") else {}
    return {"model": type(model).__name__, **written, **learned}


def _written(name: str, value):
    if isinstance(value, nn.ModuleList):
        return [_written(f"{name}[{place}]", part) for place, part in enumerate(value)]
    if isinstance(value, nn.Module):
        # modules of other libraries may have a config that is an object of theirs
        config = getattr(value, "config", None)
        return canonical(name, config) if isinstance(config, dict) else None
    if any(is_ours(kind, value) for kind in _PARTS):
        return {"name": type(value).__name__, **canonical(name, vars(value))}
    try:
        return canonical(name, value)
    except ValueError:
        return None


def from_config(config: dict, key: str = "") -> nn.Module:
    """The model that its `config` describes, freshly initialised.

    Raises ValueError where a part is not ours, and with the key (below `key`) where one is missing, unknown, or refused
    by the constructor that takes it.
    """
    require_ours(config)
    return _build("model", config, key)


def require_ours(config: dict) -> None:
    """Raises ValueError for a model that cannot be rebuilt from its configuration, because a part of it is not ours."""
    lost = list(_lost(config, ""))
    if not lost:
        return
    passed = ", ".join(f"{name!r}: ..." for name in lost)
    by_name = set(lost) <= set(networks_of(config["model"]))
    instead = f"pass your own modules as networks={{{passed}}}, or " if by_name else ""
    raise ValueError(_cannot_rebuild(", ".join(lost), instead))


def _lost(config: dict, key: str, depth: int = 0) -> Iterator[str]:
    """The keys of what a model's configuration has lost, since it is not ours, in the models within it too."""
    kind = config.get("model")
    if not (isinstance(kind, str) and kind in names("model")):
        raise ValueError(_cannot_rebuild(f"{key or 'the model'} {kind!r}"))
    if depth > _DEEPEST:
        raise ValueError(_cannot_rebuild(f"a model in more than {_DEEPEST} others"))
    # no corruption is nothing lost
    for name in [name for name in _required(kind) if name != "corruption" and name in config]:
        parts = config[name]
        of_list = isinstance(parts, list)
        for place, part in enumerate(parts if of_list else [parts]):
            here = join(key, f"{name}[{place}]" if of_list else name)
            if part is None:
                yield here
            elif isinstance(part, dict) and "model" in part:
                yield from _lost(part, here, depth + 1)


def _cannot_rebuild(what: str, instead: str = "") -> str:
    return f"{what} cannot be rebuilt from the configuration; {instead}build the model yourself and pass model="


def networks_of(kind) -> list[str]:
    """The names of the networks that a model of ours is made of; none for what is no model of ours."""
    known = isinstance(kind, str) and kind in names("model")
    return [name for name, one in _required(kind).items() if one.annotation is nn.Module] if known else []


def _required(kind: str) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in parameters_of(find("model", kind)).items() if one.default is one.empty}


def _build(kind: str, config, key: str):
    """What a configuration names, made by its constructor; errors name the key."""
    tag = "name" if kind in _PARTS else kind
    mapping(config, key)
    if tag not in config:
        raise ValueError(f"{join(key, tag)} is missing")
    make = find(kind, config[tag], join(key, tag))
    given, taken = {name: value for name, value in config.items() if name != tag}, parameters_of(make)
    _require_names(given, tag, taken, key)
    arguments = {
        name: _argument(kind, one, given[name], join(key, name)) for name, one in taken.items() if name in given
    }
    try:
        return make(**arguments)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{key}.{error}" if key else str(error)) from None
    except (RuntimeError, OverflowError) as error:
        raise ValueError(f"{key} cannot be built ({error})") from None


def _require_names(given: dict, tag: str, known: dict[str, inspect.Parameter], key: str) -> None:
    # earlier versions did not know of what is None by default
    missing = [name for name, one in known.items() if name not in given and one.default is not None]
    if missing:
        raise ValueError(f"{join(key, missing[0])} is missing")
    # earlier versions wrote null for what a model has not
    unknown = [name for name, value in given.items() if name not in known and value is not None]
    if unknown:
        raise ValueError(f"{join(key, unknown[0])} is unknown; known are {', '.join([tag, *known])}")


def _argument(kind: str, parameter: inspect.Parameter, value, key: str):
    """What a constructor is given: a value as it is, and for a model's parts what their configurations name."""
    if kind == "model" and isinstance(value, list):
        return [_argument(kind, parameter, part, f"{key}[{place}]") for place, part in enumerate(value)]
    if kind != "model" or not isinstance(value, dict):
        return value
    if "model" in value:
        return _build("model", value, key)
    if parameter.name in _PARTS:
        return _build(parameter.name, value, key)
    is_network = "network" in value or parameter.default is parameter.empty
    return _build("network", value, key) if is_network else value
