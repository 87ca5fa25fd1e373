"""With backend="reference", or FASTDAAE_BACKEND=reference, `fastdaae.reference` computes and nothing else does."""

import contextlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import fastdaae as fd
from fastdaae import backend, reference
from fastdaae.corruptions import Gaussian
from fastdaae.corruptions.tokens import TokenMasking
from fastdaae.ops import Plan
from tests import nursery, tools

X, NOISE = torch.rand(16, 160), fd.Noise(1)
WEIGHT, BIAS = (torch.rand(160, 160) - 0.5).requires_grad_(), torch.zeros(160, requires_grad=True)


@pytest.fixture
def refused(monkeypatch):
    """Every compiled function that computes raises."""

    def refuse(*arguments, **named):
        raise AssertionError("a compiled function was asked to compute")

    if backend_is_built():
        for name in tools.computing():
            monkeypatch.setattr(tools.compiled(), name, refuse)


def backend_is_built() -> bool:
    return fd.backends()["cpp"].live


def encoder() -> torch.nn.Sequential:
    return fd.networks.mlp([160, 160, 160, 160])


def decoder() -> torch.nn.Sequential:
    return fd.networks.mlp([160, 160, 160], output="sigmoid")


OPERATORS = {
    "corrupt": lambda how: fd.ops.corrupt(X.clone().requires_grad_(), Gaussian(0.5), NOISE, **how),
    "corrupted_linear": lambda how: fd.ops.corrupted_linear(X, WEIGHT, BIAS, Gaussian(0.5), NOISE, **how),
    "linear_mean": lambda how: fd.ops.linear_mean(X[None], WEIGHT, BIAS, activation="relu", **how),
    "linear_mean of sums": lambda how: fd.ops.linear_mean(X[None], WEIGHT, BIAS, activation="none", **how),
    "encode_mean": lambda how: fd.ops.encode_mean(encoder(), X, Gaussian(0.5), NOISE, copies=2, **how),
    "encode_mean of one layer": lambda how: fd.ops.encode_mean(encoder()[:2], X, None, NOISE, copies=2, **how),
    "linear_sigmoid_corrupt": lambda how: (
        fd.ops.linear_sigmoid_corrupt(X, WEIGHT, BIAS, Gaussian(0.5), NOISE, **how).x_tilde
    ),
    "sample_chain": lambda how: fd.ops.sample_chain(decoder(), encoder(), X, Gaussian(0.5), NOISE, steps=2, **how),
    "bf16 chain": lambda how: fd.ops.sample_chain(
        decoder(), encoder(), X, Gaussian(0.5), NOISE, steps=2, precision="bf16", **how
    ),
    "nearest_neighbors": lambda how: fd.ops.nearest_neighbors(X, 2, **how).distances,
    "parzen_log_density": lambda how: fd.ops.parzen_log_density(X, X, [1.0], **how),
    "normal": lambda how: fd.ops.normal(5, 3, NOISE, **how),
    "uniform": lambda how: fd.ops.uniform(5, 3, NOISE, **how),
}
# what no backend has, and so takes none
PLAIN = {
    "corrupt_tokens": lambda: fd.ops.corrupt_tokens(
        torch.arange(12).reshape(3, 4), torch.tensor([4, 2, 0]), TokenMasking(0.5, 12), NOISE, pad_id=13
    ),
}
NETWORKS = {
    "plan": lambda: Plan.of(encoder())(X),
    "logits": lambda: Plan.of(decoder()).logits()(X),
    "all but the last": lambda: Plan.of(encoder()).split_last()[0](X),
}


def operator_names() -> set[str]:
    return {name for name in fd.ops.__all__ if inspect.isfunction(inspect.unwrap(getattr(fd.ops, name)))}


def foreign_gradients(result: torch.Tensor) -> set[str]:
    """The autograd Functions in a result's graph that are not PyTorch's own."""
    found, seen, waiting = set(), set(), [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            found.add(type(node).__name__)
        waiting += [following for following, _ in node.next_functions]
    return found


def test_every_public_operator_is_called_here():
    assert operator_names() <= {name.split(" ")[0] for name in (*OPERATORS, *PLAIN)}


@pytest.mark.parametrize("call", OPERATORS.values(), ids=OPERATORS)
def test_a_call_that_names_the_reference_runs_nothing_else(refused, call):
    assert not foreign_gradients(call({"backend": "reference"}))


@pytest.mark.parametrize("call", OPERATORS.values(), ids=OPERATORS)
def test_an_environment_that_names_the_reference_runs_nothing_else(refused, monkeypatch, call):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    assert not foreign_gradients(call({}))


@pytest.mark.parametrize("call", NETWORKS.values(), ids=NETWORKS)
def test_plans_under_such_an_environment_run_nothing_else(refused, monkeypatch, call):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    assert not foreign_gradients(call())


@pytest.mark.needs_cpp
@pytest.mark.parametrize("call", NETWORKS.values(), ids=NETWORKS)
def test_the_same_plans_are_refused_elsewhere(refused, call):
    with pytest.raises(AssertionError, match="a compiled function was asked to compute"):
        call()


@pytest.mark.needs_cpp
@pytest.mark.parametrize("name", OPERATORS)
def test_the_same_calls_on_cpp_are_refused(refused, name):
    """The tests above are not blind: what they call reaches compiled functions where it may."""
    with pytest.raises(AssertionError, match="a compiled function was asked to compute"):
        OPERATORS[name]({"backend": "cpp"})


# whole models


def model(kind: str, form: str, loss: str) -> torch.nn.Module:
    parts = encoder(), decoder(), fd.networks.mlp([160, 160, 160, 1])
    arguments = {} if kind == "AAE" else {"corruption": Gaussian(0.5)}
    return getattr(fd, kind)(*parts, prior=fd.priors.Normal(160), form=form, loss=loss, **arguments)


def use(made: torch.nn.Module) -> None:
    """A training step, and everything that a model is asked for."""
    groups = made.parameter_groups().items()
    fd.compile_step(made, {name: torch.optim.SGD(group, lr=0.1) for name, group in groups})(X)
    made.sample(9, steps=2)
    made.decode(made.encode(X))
    made.reconstruct(X, NOISE)
    made.validation_losses(X, NOISE)


@pytest.mark.parametrize("loss", ["bce", "mse"])
@pytest.mark.parametrize("form", ["paper", "released"])
@pytest.mark.parametrize("kind", ["AAE", "DAAE", "IDAAE"])
def test_a_model_under_an_environment_that_names_the_reference_runs_nothing_else(
    refused, monkeypatch, kind, form, loss
):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    use(model(kind, form, loss))


@pytest.mark.needs_cpp
@pytest.mark.parametrize("kind", ["AAE", "DAAE", "IDAAE"])
def test_the_same_models_reach_compiled_functions_elsewhere(refused, kind):
    with pytest.raises(AssertionError, match="a compiled function was asked to compute"):
        use(model(kind, "paper", "bce"))


def estimate() -> None:
    fd.priors.RingMixture().sample(5, NOISE)
    fd.priors.Normal(2).sample(5, NOISE)
    fd.ParzenWindow(bandwidths=[0.5, 1.0]).fit(X).score(X)
    for estimator in ("mle", "mackay", "twonn"):
        fd.IntrinsicDimension(k=5, estimator=estimator).fit(X)


def test_priors_and_estimators_under_such_an_environment_run_nothing_else(refused, monkeypatch):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    estimate()


# which functions of the reference that reaches


@contextlib.contextmanager
def callers() -> Iterator[dict[str, set[str]]]:
    """{public function of the reference: the modules of fastdaae that call it} while the block runs."""
    functions = {name: inspect.unwrap(getattr(reference, name)) for name in reference.__all__}
    names = {call.__code__: name for name, call in functions.items() if inspect.isfunction(call)}
    found: dict[str, set[str]] = {name: set() for name in names.values()}

    def seen(frame, event, argument) -> None:
        if event != "call" or frame.f_code not in names:
            return
        outer = frame.f_back
        while outer is not None and not outer.f_globals.get("__name__", "").startswith("fastdaae"):
            outer = outer.f_back
        if outer is not None:
            found[names[frame.f_code]].add(outer.f_globals["__name__"])

    sys.setprofile(seen)
    try:
        yield found
    finally:
        sys.setprofile(None)


def run_everything(how: dict) -> None:
    for call in OPERATORS.values():
        call(how)
    for plain in PLAIN.values():
        plain()
    use(model("IDAAE", "paper", "bce"))
    estimate()


def require_all_reached(found: dict[str, set[str]]) -> None:
    """The library calls every operator of the reference from outside of it."""
    outside = {
        name: [one for one in where if not one.startswith("fastdaae.reference")] for name, where in found.items()
    }
    unreached = sorted(name for name in operator_names() if not outside.get(name))
    assert not unreached, f"never called by the library: {unreached}"


def test_every_other_public_name_of_the_reference_is_used_by_the_library():
    package = Path(reference.__file__).parents[1]
    sources = [path.read_text() for path in package.rglob("*.py") if path.parent.name != "reference"]
    for name in set(reference.__all__) - operator_names():
        assert any(re.search(rf"\breference\.{name}\b", source) for source in sources), name


@pytest.mark.parametrize("named", [True, False], ids=["named", "environment"])
def test_every_operator_of_the_reference_is_what_computes(refused, monkeypatch, named):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    with callers() as found:
        run_everything({"backend": "reference"} if named else {})
    require_all_reached(found)


@pytest.mark.needs_cpp
def test_a_process_with_the_environment_variable_computes_nothing_compiled():
    """The variable itself, in a process of its own."""
    code = """
from tests.operators import test_reference_alone as here
from tests import nursery, tools
def refuse(*arguments): raise AssertionError("a compiled function was asked to compute")
for name in tools.computing():
    setattr(tools.compiled(), name, refuse)
here.run_everything({})
print("done")
"""
    done = nursery.run(code, folder=tools.ROOT, FASTDAAE_BACKEND="reference")
    assert done.stdout.split() == ["done"], done.stderr
