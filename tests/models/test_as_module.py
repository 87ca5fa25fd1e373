"""A model among other modules: called, printed, nested."""

import pytest
import torch
from torch import nn

import fastdaae as fd

mlp = fd.networks.mlp


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 2)

    def forward(self, x):
        return self.linear(x.flatten(1))


def models() -> dict[str, nn.Module]:
    torch.manual_seed(0)
    decoder = nn.Sequential(nn.Linear(2, 12), nn.Unflatten(1, (3, 4)), nn.Sigmoid())
    how = {"corruption": fd.corruptions.Gaussian(0.5), "image_shape": (3, 4)}
    prior = fd.priors.Normal(2)
    parts = mlp([12, 2]), mlp([2, 12], output="sigmoid")
    return {
        "autoencoder": fd.models.Autoencoder(*parts, **how),
        "own networks": fd.DAAE(Encoder(), decoder, nn.LazyLinear(1), prior=prior, **how),
        "idaae": fd.IDAAE(*parts, mlp([2, 5, 1]), prior=prior, copies=7, **how),
    }


@pytest.mark.parametrize("name", models())
def test_calling_a_model_reconstructs(name):
    model, x, seen = models()[name], torch.randint(0, 256, (5, 3, 4), dtype=torch.uint8), []
    assert torch.equal(model(x), model.reconstruct(x))
    assert torch.equal(model(x, fd.Noise(1), row_offset=2), model.reconstruct(x, fd.Noise(1), row_offset=2))
    handle = model.register_forward_hook(lambda *given: seen.append(given[2].shape))
    assert torch.equal(nn.Sequential(nn.Identity(), model)(x), model.reconstruct(x)) and seen == [x.shape]
    handle.remove()
    assert torch.equal(nn.DataParallel(model)(x).cpu(), model.cpu().reconstruct(x))


def test_a_printed_model_tells_its_parts_in_a_dozen_lines():
    printed = {name: repr(model) for name, model in models().items()}
    choices = "copies=7, integration='encodings', loss='bce', decoder_output=None, adversarial_loss='saturating'"
    assert printed["idaae"].splitlines() == [
        "IDAAE(",
        "  encoder: mlp([12, 2]), 26 parameters",
        "  decoder: mlp([2, 12], output='sigmoid'), 36 parameters",
        "  discriminator: mlp([2, 5, 1]), 21 parameters",
        "  prior: Normal(dim=2)",
        "  corruption: Gaussian(sigma=0.5, clip=None)",
        f"  {choices}, form='paper'",
        "  image_shape: (3, 4)",
        "  in all: 83 parameters",
        ")",
    ]
    own = printed["own networks"]
    assert "  encoder: Encoder, 26 parameters\n  decoder: Sequential of 3 modules, 36 parameters\n" in own
    assert "  discriminator: LazyLinear, parameters made at the first batch\n" in own
    assert "prior" not in printed["autoencoder"] and "  in all: 62 parameters\n)" in printed["autoencoder"]
    deep = fd.models.Autoencoder(mlp([12, *range(3, 40), 2]), mlp([2, 12], output="sigmoid"))
    assert "  encoder: mlp([12, 3, 4, 5, ..., 38, 39, 2]), " in repr(deep)
    assert "  image_shape: None, set by the training images\n" in repr(deep)
    assert max(len(line) for text in printed.values() for line in text.splitlines()) <= 120


def test_a_printed_model_is_indented_within_another_module():
    model = models()["idaae"]
    inner = repr(model).replace("\n", "\n  ")
    assert repr(nn.ModuleDict({"inner": model})) == f"ModuleDict(\n  (inner): {inner}\n)"
