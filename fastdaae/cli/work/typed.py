"""The options that were given, and those among them that a model has no use for."""

from typer import Context

from fastdaae.models.config import parameters_of

_TYPED, _IN_A_FILE = "COMMANDLINE", "DEFAULT_MAP"
_OF_CONSTRUCTORS = ("prior", "copies", "form", "adversarial_loss", "beta", "warm_up", "weight", "floor")
_OF_NETWORKS = ("networks", "architecture", "decoder_output", "code")
_UNUSED = {"stacked": _OF_NETWORKS, "classifier": (*_OF_NETWORKS, "loss")}  # whose networks come from elsewhere


def typed(context: Context | None, *more: str) -> dict:
    """The options that stand on the command line, or come from one of `more` sources, with their values."""
    if context is None:
        return {}
    sources = {name: context.get_parameter_source(name) for name in context.params}
    wanted = (_TYPED, *more)
    return {name: context.params[name] for name, source in sources.items() if source and source.name in wanted}


def require_used(context: Context | None, kind: str, make) -> None:
    """Raises ValueError for an option, on the command line or in a file of options, that a model ignores."""
    taken = parameters_of(make)
    unused = {*_UNUSED.get(kind, ()), *(name for name in _OF_CONSTRUCTORS if name not in taken)}
    for name in typed(context, _IN_A_FILE):
        if name in unused:
            raise ValueError(f"--{name.replace('_', '-')} has no part in --model {kind}; leave it out")
