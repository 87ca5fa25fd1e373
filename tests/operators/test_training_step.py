"""A training step whose layers are wide enough for the C++ kernels, on every instruction set.

Beside Algorithm 1 by hand in float64, for every model, form and loss; and each update moves its own parameters alone.
"""

import collections

import pytest
import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Site
from tests import tools
from tests.operators import rounding
from tests.operators.rounding import Rounded, exact

pytestmark = pytest.mark.needs_cpp
WIDE, CODE, ROWS, COPIES, SEED = 160, 5, 24, 3, 5
# high ones, so that rounding of the parameters themselves hides no step
RATES = {"reconstruction": 20.0, "discriminator": 0.5, "encoder": 0.5}
MODELS, FORMS, LOSSES = ("AAE", "DAAE", "IDAAE"), ("paper", "released"), ("bce", "mse")
CORRUPTION = Gaussian(0.5)


def build(kind: str, form: str, loss: str, **choices) -> nn.Module:
    torch.manual_seed(3)
    mlp = fd.networks.mlp
    networks = (
        mlp([WIDE, WIDE, WIDE, CODE]),
        mlp([CODE, WIDE, WIDE, WIDE], output="sigmoid"),
        mlp([CODE, WIDE, WIDE, 1]),
    )
    choices = {"form": form, "loss": loss, **choices}
    if kind != "AAE":
        choices["corruption"] = CORRUPTION
    if kind == "IDAAE":
        choices["copies"] = COPIES
    return getattr(fd, kind)(*networks, prior=fd.priors.Normal(CODE), **choices)


def images() -> Tensor:
    return torch.rand(ROWS, WIDE, generator=torch.Generator().manual_seed(8))


def optimizers(model: nn.Module) -> dict[str, torch.optim.Optimizer]:
    return {name: torch.optim.SGD(group, lr=RATES[name]) for name, group in model.parameter_groups().items()}


class ByHand:
    """The step of Creswell and Bharath 2018, Algorithm 1, or of the authors' released code, with its gradients written
    out; on the x~ and the draws of the prior that the library makes, so that what differs is the arithmetic."""

    def __init__(self, model: nn.Module, kind: str):
        self.kind, self.loss, self.saturating = kind, model.loss, model.adversarial_loss == "saturating"
        self.corruption = None if kind == "AAE" else CORRUPTION
        parts = (model.encoder, model.decoder, model.discriminator)
        self.encoder, self.decoder, self.discriminator = (rounding.layers_of(part) for part in parts)

    def x_tilde(self, x: Tensor, site: int, copies: int) -> Tensor:
        noise = fd.Noise(SEED)
        return fd.ops.corrupt(x, self.corruption, noise, copies=copies, site=site, backend="cpp")

    def mean_input(self, x: Tensor, site: int) -> Rounded:
        x_tilde = exact(self.x_tilde(x, site, COPIES).double())
        mean = x_tilde.value.mean(0)
        return Rounded(mean, COPIES * rounding.UNIT**2 * (x_tilde.value**2).mean(0))

    def real(self) -> Rounded:
        return exact(fd.priors.Normal(CODE).sample(ROWS, fd.Noise(SEED)))

    def by_pixels(self, x: Tensor, logits: Rounded) -> Rounded:
        """The reconstruction loss's gradient by the logits."""
        pixels, count = torch.sigmoid(logits.value), x.numel()
        if self.loss == "bce":
            return rounding.through(logits, (pixels - x) / count, 0.25 / count)
        return rounding.through(logits, 2 * (pixels - x) * pixels * (1 - pixels) / count, 0.4 / count)

    def by_scores(self, logits: Rounded, sign: int, weight: float) -> Rounded:
        """The gradient of the mean of weight * softplus(sign * logit)."""
        share = weight / len(logits.value)
        return rounding.through(logits, sign * share * torch.sigmoid(sign * logits.value), abs(0.25 * share))

    def encoder_scores(self, logits: Rounded) -> Rounded:
        return self.by_scores(logits, 1, -1.0) if self.saturating else self.by_scores(logits, -1, 1.0)

    def discriminator_gradients(self, z_fake: Rounded, weight: float) -> list[Rounded]:
        gradients = []
        for z, sign in ((self.real(), -1), (z_fake, 1)):
            scores, kept = rounding.forward(self.discriminator, z)
            gradients.append(rounding.backward(self.discriminator, kept, self.by_scores(scores, sign, weight))[1])
        return [one.plus(other) for one, other in zip(*gradients, strict=True)]

    def autoencoder_gradients(self, x: Tensor, z: Rounded, kept: list, by_code: Rounded | None) -> tuple[list, list]:
        """Gradients of encoder and decoder; `by_code` is what else the encoder minimises, by its codes."""
        logits, kept_by_decoder = rounding.forward(self.decoder, z)
        by_z, of_decoder = rounding.backward(self.decoder, kept_by_decoder, self.by_pixels(x.double(), logits))
        by_z = by_z if by_code is None else by_z.plus(by_code)
        return rounding.backward(self.encoder, kept, by_z)[1], of_decoder

    def fake_codes(self, x: Tensor, x_tilde: Rounded) -> tuple[Rounded, list]:
        """Algorithm 2 for an IDAAE, else the same x~ again; the codes of all copies in one batch."""
        if self.kind == "IDAAE":
            x_tilde = exact(self.x_tilde(x, Site.MATCHING, COPIES).flatten(0, 1))
        return rounding.forward(self.encoder, x_tilde)

    def paper_step(self, x: Tensor) -> None:
        x_tilde = exact(self.x_tilde(x, Site.RECONSTRUCTION, 1)[0])  # line 3
        z, kept = rounding.forward(self.encoder, x_tilde)  # line 4
        of_encoder, of_decoder = self.autoencoder_gradients(x, z, kept, None)  # lines 5 to 7
        self.encoder = rounding.descended(self.encoder, of_encoder, RATES["reconstruction"])  # lines 8 and 9
        self.decoder = rounding.descended(self.decoder, of_decoder, RATES["reconstruction"])
        codes, kept = self.fake_codes(x, x_tilde)  # line 11
        copies = len(codes.value) // ROWS
        z_fake = mean_of_copies(codes, copies)
        of_discriminator = self.discriminator_gradients(z_fake, 1.0)  # lines 12 to 14
        self.discriminator = rounding.descended(self.discriminator, of_discriminator, RATES["discriminator"])  # line 16
        scores, kept_scores = rounding.forward(self.discriminator, z_fake)
        by_z = rounding.backward(self.discriminator, kept_scores, self.encoder_scores(scores))[0]  # line 18
        shared = by_z.times(1 / copies)
        by_copies = Rounded(shared.value.repeat(copies, 1), shared.variance.repeat(copies, 1))
        of_encoder = rounding.backward(self.encoder, kept, by_copies)[1]
        self.encoder = rounding.descended(self.encoder, of_encoder, RATES["encoder"])  # line 19

    def released_step(self, x: Tensor) -> None:
        """Gradients of the old parameters alone; inputs averaged, one joint update, half the discriminator's loss."""
        if self.kind == "IDAAE":
            x_tilde = self.mean_input(x, Site.RECONSTRUCTION)
        else:
            x_tilde = exact(self.x_tilde(x, Site.RECONSTRUCTION, 1)[0])
        z, kept = rounding.forward(self.encoder, x_tilde)
        of_discriminator = self.discriminator_gradients(z, 0.5)
        scores, kept_scores = rounding.forward(self.discriminator, z)
        by_z = rounding.backward(self.discriminator, kept_scores, self.encoder_scores(scores))[0]
        of_encoder, of_decoder = self.autoencoder_gradients(x, z, kept, by_z)
        self.encoder = rounding.descended(self.encoder, of_encoder, RATES["reconstruction"])
        self.decoder = rounding.descended(self.decoder, of_decoder, RATES["reconstruction"])
        self.discriminator = rounding.descended(self.discriminator, of_discriminator, RATES["discriminator"])

    def parameters(self) -> list[Rounded]:
        """Weights and biases in the order of the model's parameters."""
        layers = [*self.encoder, *self.decoder, *self.discriminator]
        return [parameter for layer in layers for parameter in (layer.weight, layer.bias)]


def mean_of_copies(codes: Rounded, copies: int) -> Rounded:
    value, variance = (part.unflatten(0, (copies, ROWS)) for part in codes)
    rounded = copies * rounding.UNIT**2 * (value**2).mean(0)
    return Rounded(value.mean(0), variance.sum(0) / copies**2 + rounded)


def counted(monkeypatch) -> collections.Counter:
    """How often each compiled function runs from here on."""
    calls = collections.Counter()
    for name in tools.computing():
        function = getattr(tools.compiled(), name)
        monkeypatch.setattr(tools.compiled(), name, lambda *args, f=function, n=name: (calls.update([n]), f(*args))[1])
    return calls


def require_step(model: nn.Module, kind: str, x: Tensor) -> None:
    """One compiled step moves every parameter to where Algorithm 1 in float64 moves it, to rounding."""
    before, by_hand = [p.detach().clone() for p in model.parameters()], ByHand(model, kind)
    (by_hand.paper_step if model.form == "paper" else by_hand.released_step)(x)
    fd.compile_step(model, optimizers(model), seed=SEED)(x)
    for (name, found), old, expected in zip(model.named_parameters(), before, by_hand.parameters(), strict=True):
        moved = float((expected.value - old.double()).abs().max())
        bound = expected.bound()
        assert float(bound.mean()) < 0.01 * moved, f"{name}: a bound that would let anything pass"
        error = (found.detach().double() - expected.value).abs()
        assert bool((error <= bound).all()), f"{name}: {float((error / bound).max()):.3g} times what rounding allows"


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", MODELS)
def test_a_wide_step_is_algorithm_1_in_float64(isa, monkeypatch, kind, form, loss):
    calls = counted(monkeypatch)
    require_step(build(kind, form, loss), kind, images())
    # forwards and gradients of the wide layers of three networks
    assert calls["linear"] >= 6 and calls["input_gradient"] >= 5 and calls["weight_gradient"] >= 5, calls


@pytest.mark.parametrize("kind", MODELS)
def test_a_wide_step_with_the_other_adversarial_loss(isa, kind):
    require_step(build(kind, "paper", "bce", adversarial_loss="non_saturating"), kind, images())


@pytest.mark.parametrize("broken", ["linear", "input_gradient", "weight_gradient"])
def test_kernels_that_write_zeros_are_found_out(monkeypatch, broken):
    monkeypatch.setattr(tools.compiled(), broken, lambda *arguments: None)
    monkeypatch.setattr(torch, "empty", torch.zeros)
    with pytest.raises(AssertionError, match="times what rounding allows"):
        require_step(build("DAAE", "paper", "bce"), "DAAE", images())


class Watched:
    """Every update of a step: which parameters and gradients differ from before it."""

    def __init__(self, model: nn.Module):
        self.model, self.moved, self.order = model, {}, []
        self.groups = {name: {id(p) for p in group} for name, group in model.parameter_groups().items()}
        self.optimizers = optimizers(model)
        for name, optimizer in self.optimizers.items():
            optimizer.register_step_pre_hook(lambda *_: self._remember())
            optimizer.register_step_post_hook(lambda *_, name=name: self._look(name))

    def _remember(self) -> None:
        self._before = [p.detach().clone() for p in self.model.parameters()]

    def _look(self, name: str) -> None:
        self.order.append(name)
        pairs = zip(self.model.parameters(), self._before, strict=True)
        self.moved[name] = {id(p) for p, old in pairs if not torch.equal(p, old)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", MODELS)
def test_an_update_moves_its_own_group_and_no_bit_of_another(isa, kind, form):
    model = build(kind, form, "bce")
    watched = Watched(model)
    fd.compile_step(model, watched.optimizers, seed=SEED)(images())
    assert watched.order == list(watched.groups) and watched.moved == watched.groups


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", MODELS)
def test_between_updates_no_parameter_moves(kind, form):
    """What an update leaves is what the next one finds: the step changes parameters through its optimisers alone."""
    model = build(kind, form, "bce")
    made, seen = optimizers(model), [[p.detach().clone() for p in model.parameters()]]
    for optimizer in made.values():
        optimizer.register_step_pre_hook(lambda *_: seen.append([p.detach().clone() for p in model.parameters()]))
        optimizer.register_step_post_hook(lambda *_: seen.append([p.detach().clone() for p in model.parameters()]))
    fd.compile_step(model, made, seed=SEED)(images())
    seen.append([p.detach().clone() for p in model.parameters()])
    assert len(seen) == 2 * len(made) + 2
    for before, after in zip(seen[::2], seen[1::2], strict=True):
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
