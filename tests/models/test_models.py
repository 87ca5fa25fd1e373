"""The adversarial models: one step against a hand-written Algorithm 1, laws between models, sampling, configuration."""

import copy

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, SaltAndPepper
from fastdaae.noise import Site

SIZES = {"pixels": 20, "hidden": 16, "code": 3}


def networks() -> list[nn.Module]:
    torch.manual_seed(3)
    pixels, hidden, code = SIZES.values()
    return [
        fd.networks.mlp([pixels, hidden, hidden, code]),
        fd.networks.mlp([code, hidden, hidden, pixels], output="sigmoid"),
        fd.networks.mlp([code, hidden, hidden, 1]),
    ]


def build(kind: str, **choices) -> nn.Module:
    arguments = {"prior": fd.priors.Normal(3), "corruption": Gaussian(0.5), **choices}
    if kind == "AAE":
        del arguments["corruption"]
    return getattr(fd, kind)(*networks(), **arguments)


def train(model: nn.Module, x: torch.Tensor, steps: int = 2, **arguments) -> dict[str, torch.Tensor]:
    optimizers = {name: torch.optim.Adam(group, lr=1e-2) for name, group in model.parameter_groups().items()}
    step = fd.compile_step(model, optimizers, seed=5, **arguments)
    for _ in range(steps):
        losses = step(x)
    return losses


def require_equal(one: nn.Module, other: nn.Module, tolerance: float = 0.0) -> None:
    for (name, a), (_, b) in zip(one.named_parameters(), other.named_parameters(), strict=True):
        assert torch.allclose(a, b, atol=tolerance, rtol=0), name


def algorithm_1(model: nn.Module, x: torch.Tensor, copies: int, saturating: bool, steps: int = 2) -> None:
    """Appendix C of the paper, line by line, with probabilities and plain Adam, in float64."""
    encoder, decoder, discriminator = model.encoder, model.decoder, model.discriminator
    reconstruction = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    dis = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    enc = torch.optim.Adam(encoder.parameters(), lr=1e-2)

    def probability(z):
        return torch.sigmoid(discriminator(z))

    for k in range(steps):
        noise = fd.Noise(5, step=k)
        x_tilde = fd.ops.corrupt(x, Gaussian(0.5), noise, site=Site.RECONSTRUCTION)[0]  # line 3
        x_hat = decoder(encoder(x_tilde))  # lines 4 and 5
        l_rec = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).mean()  # line 7, as cross-entropy is meant
        reconstruction.zero_grad()
        l_rec.backward()
        reconstruction.step()  # lines 8 and 9
        fresh = fd.ops.corrupt(x, Gaussian(0.5), noise, copies=copies, site=Site.MATCHING)
        z_fake = torch.stack([encoder(one) for one in fresh]).mean(0)  # line 11: Algorithm 2
        z_real = fd.priors.Normal(3).sample(len(x), noise).double()  # line 12
        l_dis = -probability(z_real).log().mean() - (1 - probability(z_fake.detach())).log().mean()  # line 14
        dis.zero_grad()
        l_dis.backward()
        dis.step()  # line 16
        fake = probability(z_fake)
        l_prior = (1 - fake).log().mean() if saturating else -fake.log().mean()  # line 18
        enc.zero_grad()
        l_prior.backward()
        enc.step()  # line 19


@pytest.mark.parametrize("copies", [1, 5])
@pytest.mark.parametrize("adversarial_loss", ["saturating", "non_saturating"])
def test_step_is_algorithm_1(copies, adversarial_loss):
    model = build("IDAAE", copies=copies, adversarial_loss=adversarial_loss).double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 20, dtype=torch.float64)
    before = copy.deepcopy(model)
    train(model, x)
    algorithm_1(by_hand, x, copies, adversarial_loss == "saturating")
    require_equal(model, by_hand, tolerance=1e-7)
    with pytest.raises(AssertionError):
        require_equal(model, before, tolerance=1e-3)


def test_released_form_is_the_authors_code():
    """Losses first on old parameters, inputs averaged, halved discriminator loss, one joint update."""
    model = build("IDAAE", copies=4, form="released").double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 20, dtype=torch.float64)
    train(model, x)
    encoder, decoder, discriminator = by_hand.encoder, by_hand.decoder, by_hand.discriminator
    joint = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-2)
    dis = torch.optim.Adam(discriminator.parameters(), lr=1e-2)
    for k in range(2):
        noise = fd.Noise(5, step=k)
        mean_input = fd.ops.corrupt(x, Gaussian(0.5), noise, copies=4, site=Site.RECONSTRUCTION).mean(0)
        z = encoder(mean_input)
        x_hat, z_real = decoder(z), fd.priors.Normal(3).sample(8, noise).double()
        l_rec = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).mean()
        real, fake = torch.sigmoid(discriminator(z_real)), torch.sigmoid(discriminator(z.detach()))
        l_dis = 0.5 * (-real.log().mean() - (1 - fake).log().mean())
        l_joint = l_rec - torch.sigmoid(discriminator(z)).log().mean()
        joint_gradients = torch.autograd.grad(l_joint, [*encoder.parameters(), *decoder.parameters()])
        dis_gradients = torch.autograd.grad(l_dis, list(discriminator.parameters()))
        for optimizer, gradients in ((joint, joint_gradients), (dis, dis_gradients)):
            for parameter, gradient in zip(optimizer.param_groups[0]["params"], gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
    require_equal(model, by_hand, tolerance=1e-7)


def test_sigma_zero_makes_a_daae_an_aae_bitwise():
    x = torch.randint(0, 256, (8, 20), dtype=torch.uint8)
    aae, daae = build("AAE"), build("DAAE", corruption=Gaussian(0.0))
    train(aae, x)
    train(daae, x)
    require_equal(aae, daae)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_one_copy_makes_an_idaae_a_daae_with_fresh_corruption_bitwise(dtype):
    x = torch.randint(0, 256, (8, 20), dtype=torch.uint8)
    x = x if dtype == torch.uint8 else x.float() / 255
    idaae, daae = build("IDAAE", copies=1), build("DAAE", fresh_corruption=True)
    train(idaae, x)
    train(daae, x)
    require_equal(idaae, daae)
    same_x_tilde = build("DAAE")
    train(same_x_tilde, x)
    with pytest.raises(AssertionError):
        require_equal(daae, same_x_tilde, tolerance=1e-4)


def test_fake_codes_of_a_daae_are_those_of_the_same_corruption():
    model, x, seen = build("DAAE"), torch.rand(8, 20), {}
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.setdefault("inputs", []).append(inputs[0]))
    model.step(x, fd.Noise(0), lambda name, loss: None)
    assert len(seen["inputs"]) == 2 and torch.equal(*seen["inputs"])


def test_row_offset_moves_the_noise_to_the_global_batch():
    x, seen = torch.rand(8, 20), []
    model = build("IDAAE", copies=2)
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.step(x, fd.Noise(0), lambda name, loss: None)
    model.step(x[4:], fd.Noise(0), lambda name, loss: None, row_offset=4)
    assert torch.equal(seen[0][4:], seen[2])
    assert torch.equal(seen[1].unflatten(0, (2, 8))[:, 4:].flatten(0, 1), seen[3])


def test_updates_touch_only_their_group():
    model, x = build("IDAAE"), torch.rand(8, 20)
    groups = model.parameter_groups()
    owners = {name: {id(p) for p in group} for name, group in groups.items()}
    order = []

    def update(name, loss):
        order.append(name)
        found = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True, allow_unused=True)
        reached = {id(p) for p, g in zip(model.parameters(), found, strict=True) if g is not None}
        assert owners[name] <= reached

    model.step(x, fd.Noise(0), update)
    assert order == ["reconstruction", "discriminator", "encoder"]
    assert owners["reconstruction"] == {id(p) for m in (model.encoder, model.decoder) for p in m.parameters()}


def test_reconstruction_without_and_with_noise():
    model, x = build("IDAAE"), torch.randint(0, 256, (6, 4, 5), dtype=torch.uint8)
    clean = model.reconstruct(x)
    assert clean.shape == x.shape
    assert torch.equal(clean.flatten(1), model.decoder(model.encoder(x.float() / 255)))
    x_tilde = fd.ops.corrupt(x, Gaussian(0.5), fd.Noise(1), row_offset=2, site=Site.EVALUATION)[0]
    assert torch.equal(model.reconstruct(x, fd.Noise(1), row_offset=2), model.reconstruct(x_tilde))


@pytest.mark.parametrize("output", ["logits", "probabilities"])
def test_decoders_of_one_s_own_say_what_they_return(output):
    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = networks()[1]

        def forward(self, z):
            return self.layers(z) if output == "probabilities" else nn.Sequential(*list(self.layers)[:-1])(z)

    torch.manual_seed(0)
    encoder, _, discriminator = networks()
    with pytest.raises(ValueError, match="decoder_output must be one of 'logits', 'probabilities', 'linear'"):
        fd.AAE(encoder, Decoder(), discriminator, prior=fd.priors.Normal(3))
    ours = fd.AAE(encoder, Decoder(), discriminator, prior=fd.priors.Normal(3), decoder_output=output)
    split = build("AAE")
    x = torch.rand(8, 20)
    losses = [m.step(x, fd.Noise(0), lambda name, loss: None)["reconstruction"] for m in (ours, split)]
    assert torch.allclose(*losses, atol=1e-6)
    assert torch.allclose(ours.decode(torch.ones(2, 3)), split.decode(torch.ones(2, 3)), atol=1e-6)


def test_losses_come_from_logits():
    """At a logit of 200 the log of a sigmoid is minus infinity in float32; softplus is 200."""
    model, x = build("AAE"), torch.rand(8, 20)
    with torch.no_grad():
        model.decoder[-2].bias.fill_(200.0)
        model.discriminator[-1].bias.fill_(200.0)
    losses = {name: loss.detach() for name, loss in model.step(x, fd.Noise(0), lambda name, loss: None).items()}
    assert all(bool(torch.isfinite(loss)) for loss in losses.values())
    assert float(losses["discriminator"]) == pytest.approx(200, abs=5)
    assert float(losses["reconstruction"]) == pytest.approx(200 * float((1 - x).mean()), abs=5)


def test_step_compiles_without_graph_breaks():
    model, x, noise = build("IDAAE"), torch.rand(8, 20), fd.Noise(0)

    def losses(x):
        return model.step(x, noise, lambda name, loss: None)

    compiled = torch.compile(losses, fullgraph=True, backend="aot_eager")(x)
    for name, loss in losses(x).items():
        assert torch.allclose(compiled[name], loss, atol=1e-6)


# sampling


def test_samples_are_the_decoded_chain_of_the_prior():
    model = build("IDAAE")
    z = fd.priors.Normal(3).sample(9, fd.Noise(4), site=Site.INITIAL)
    assert torch.allclose(model.sample(9, seed=4), model.decode(z).detach(), atol=1e-6, rtol=0)
    chain = model.sample(9, steps=3, keep=(0, 3), seed=4)
    expected = fd.ops.sample_chain(model.decode, model.encode, z, Gaussian(0.5), fd.Noise(4), steps=3, keep=(0, 3))
    assert torch.allclose(chain, expected, atol=1e-6, rtol=0)
    assert torch.equal(model.sample(9, steps=3, seed=4), chain[1])
    assert torch.allclose(model.sample(4, steps=3, seed=4), chain[1][:4], atol=1e-6)
    assert not torch.equal(model.sample(9, seed=5), chain[0])


def test_sampling_choices():
    model = build("AAE")
    z = torch.randn(5, 3)
    clean = model.sample(5, steps=1, initial=z)
    assert torch.allclose(clean, model.decode(model.encode(model.decode(z))).detach(), atol=1e-6, rtol=0)
    assert not torch.equal(model.sample(5, steps=1, initial=z, corruption=Gaussian(0.5)), clean)
    another = fd.priors.Custom(lambda n, noise, row_offset: torch.zeros(n, 3))
    assert torch.equal(
        build("IDAAE", prior=fd.priors.Normal(3)).sample(5, initial=fd.priors.Normal(3), seed=1),
        build("IDAAE", prior=another).sample(5, initial=fd.priors.Normal(3), seed=1),
    )
    assert model.training and not model.sample(2).requires_grad


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("n must be a whole number >= 1, got 0", {"n": 0}),
        (r"keep must be ascending steps in 0..steps = 2", {"n": 4, "steps": 2, "keep": (0, 3)}),
        (r"initial must be codes \[n, Z\] with n = 4 rows", {"n": 4, "initial": torch.zeros(3, 3)}),
    ],
)
def test_sampling_refuses_bad_input(message, arguments):
    with pytest.raises(ValueError, match=message):
        build("IDAAE").sample(**arguments)


# choices and configuration


@pytest.mark.parametrize(
    ("message", "kind", "choices"),
    [
        ("loss must be one of 'bce', 'mse', got 'l1'", "AAE", {"loss": "l1"}),
        ("form must be one of 'paper', 'released'", "AAE", {"form": "theano"}),
        ("adversarial_loss must be one of", "DAAE", {"adversarial_loss": "wasserstein"}),
        ("copies must be a whole number in 1..65536, got 0", "IDAAE", {"copies": 0}),
        ("integration must be one of 'encodings', 'inputs'", "IDAAE", {"integration": "mean"}),
        (
            "integration must be 'inputs' with form='released'",
            "IDAAE",
            {"form": "released", "integration": "encodings"},
        ),
        ("decoder ends in nn.Sigmoid, so decoder_output", "AAE", {"decoder_output": "logits"}),
    ],
)
def test_bad_choices_are_refused(message, kind, choices):
    with pytest.raises(ValueError, match=message):
        build(kind, **choices)


@pytest.mark.parametrize("corruption", [Gaussian(0.2, clip=(0, 1)), Masking(0.1), SaltAndPepper(0.3)], ids=repr)
@pytest.mark.parametrize("kind", ["AAE", "DAAE", "IDAAE"])
def test_configuration_rebuilds_the_model(kind, corruption):
    import json

    from fastdaae.models.config import from_config

    prior = fd.priors.Normal(3)
    model = build(kind, corruption=corruption, prior=prior, loss="mse")
    rebuilt = from_config(json.loads(json.dumps(model.config)))
    assert rebuilt.config == model.config and str(rebuilt) == str(model)
    assert (rebuilt.prior, rebuilt.corruption) == (model.prior, model.corruption)


def test_a_configuration_of_an_earlier_version_is_read():
    """It had the same keys for all models, in another order, and null for what a model has not."""
    from fastdaae.models.config import from_config

    model = build("AAE")
    config = dict(sorted(model.config.items(), reverse=True))
    assert from_config({**config, "corruption": None}).config == model.config
    with pytest.raises(ValueError, match="corruption is unknown; known are model, encoder, decoder, discriminator"):
        from_config({**config, "corruption": {"name": "Masking", "drop": 0.5}})


@pytest.mark.parametrize("seed", [1, 2])
def test_priors_have_their_moments(seed):
    ring = fd.priors.RingMixture(modes=10, radius=4.0, std=0.5).sample(100_000, fd.Noise(seed))
    angle, radius = torch.atan2(ring[:, 1], ring[:, 0]), ring.norm(dim=1)
    mode = torch.round(angle / (2 * torch.pi / 10)).long() % 10
    counts = torch.bincount(mode, minlength=10)
    assert float((counts - 10_000).abs().max()) < 4.5 * 9_000**0.5  # binomial; neighbours on the ring swap evenly
    assert abs(float(ring.mean())) < 0.05 and abs(float(radius.square().mean()) - (16 + 2 * 0.25)) < 0.1
    whole = fd.priors.RingMixture().sample(10, fd.Noise(1))
    assert torch.equal(whole[4:], fd.priors.RingMixture().sample(6, fd.Noise(1), row_offset=4))


def test_custom_prior():
    def sampler(n, noise, row_offset):
        return 3 + fd.priors.Normal(2).sample(n, noise, row_offset=row_offset)

    assert fd.priors.Custom(sampler).sample(7, fd.Noise(0)).shape == (7, 2)
    with pytest.raises(ValueError, match=r"sampler must return a tensor \[n, Z\] with n = 7 rows, got \[2\]"):
        fd.priors.Custom(lambda n, noise, row_offset: torch.zeros(2)).sample(7, fd.Noise(0))


@pytest.mark.parametrize(("sizes", "output"), [([5], None), ([5, 0], None), ([5, 2], "softmax")])
def test_mlp_refuses_bad_sizes(sizes, output):
    with pytest.raises(ValueError, match=r"sizes(\[1\])? must be|output must be"):
        fd.networks.mlp(sizes, output=output)
