"""Noise of one's own, in a class that overrides `corrupted`: it has the laws of the library's corruptions."""

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Gaussian

mlp = fd.networks.mlp


def handmade(base: type) -> type:
    """A model whose `corrupted` is Gaussian(0.5), written by hand at the addresses that it is given."""

    class Handmade(base):
        def corrupted(self, x, noise, *, site, row_offset=0):
            pixels = super().corrupted(x, noise, site=site)
            drawn = fd.ops.normal(len(x), x[0].numel(), noise, row_offset=row_offset, site=site)[0]
            return pixels + 0.5 * drawn.reshape(x.shape)

    return Handmade


def build(make: type, corruption, **choices) -> fd.models.Autoencoder:
    torch.manual_seed(0)
    networks = mlp([12, 8, 2]), mlp([2, 8, 12], output="sigmoid"), mlp([2, 1])
    return make(*networks, prior=fd.priors.Normal(2), corruption=corruption, **choices)


def images(count: int = 32) -> torch.Tensor:
    return torch.randint(0, 256, (count, 3, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


CASES = [
    (fd.DAAE, {}),
    (fd.DAAE, {"fresh_corruption": True}),
    (fd.IDAAE, {"copies": 1}),
    (fd.IDAAE, {"copies": 1, "form": "released"}),
]


@pytest.mark.parametrize(("base", "choices"), CASES, ids=str)
def test_noise_by_hand_is_the_library_s(base, choices):
    by_hand, ours = build(handmade(base), None, **choices), build(base, Gaussian(0.5), **choices)
    losses = [
        fd.Trainer(m, epochs=2, batch_size=8, lr=1e-3).fit(images(), progress=False)[-1]["losses"]
        for m in (by_hand, ours)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for (name, a), b in zip(by_hand.named_parameters(), ours.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-4), name
    ours.load_state_dict(by_hand.state_dict())
    rebuilt = [model.reconstruct(images(), fd.Noise(2), row_offset=3) for model in (by_hand, ours)]
    assert torch.allclose(*rebuilt, atol=1e-5)
    chains = [model.sample(6, steps=3, keep=(0, 1, 3), seed=4) for model in (by_hand, ours)]
    assert chains[0].shape == (3, 6, 3, 4) and torch.allclose(*chains, atol=1e-4)
    # another corruption, and none, are drawn as asked for
    for corruption in (None, Gaussian(0.25)):
        drawn = [model.sample(6, steps=1, corruption=corruption) for model in (by_hand, ours)]
        assert torch.allclose(*drawn, atol=1e-5) and not torch.allclose(drawn[0], chains[0][1], atol=1e-3)


@pytest.mark.parametrize("integration", ["encodings", "inputs"])
def test_copies_have_noise_of_their_own_and_pieces_equal_the_whole(integration):
    model, x, noise = build(handmade(fd.IDAAE), None, copies=4, integration=integration), images(8), fd.Noise(1)
    encoder = model.plans()["encoder"]
    whole = model.fake_codes(encoder, x, x, noise, 0)
    pieces = [model.fake_codes(encoder, x[:3], x, noise, 0), model.fake_codes(encoder, x[3:], x, noise, 3)]
    assert torch.allclose(torch.cat(pieces), whole, atol=1e-6)
    seen = []
    model.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.fake_codes(model.plans()["encoder"], x, x, noise, 0)
    added = torch.stack(seen) - x / 255
    expected = {"encodings": (4, 0.5), "inputs": (1, 0.25)}[integration]
    assert len(added) == expected[0] and float(added.std()) == pytest.approx(expected[1], rel=0.15)
    assert len({float(copy.sum()) for copy in added}) == expected[0]


def test_long_chains_of_one_s_own_noise_are_those_of_their_pieces():
    model = build(handmade(fd.DAAE), None)
    long = model.sample(9000, steps=2, seed=1)
    assert torch.allclose(model.sample(20, steps=2, seed=1), long[:20], atol=1e-6)
    assert float((model.sample(20, steps=2, seed=1, precision="bf16") - long[:20]).abs().max()) < 0.05
