"""The emphasised loss: which entries count as corrupted, its closed form, its laws, and what it refuses."""

import copy

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, Patches, SaltAndPepper, Shuffling
from fastdaae.models.config import from_config
from fastdaae.models.emphasis import corrupted_entries
from fastdaae.noise import Site
from tests.variational.small import digits, images, mlp, parameters, refused, train


def build(**choices) -> fd.models.Autoencoder:
    torch.manual_seed(0)
    return fd.models.Autoencoder(mlp([20, 16, 3]), mlp([3, 16, 20], output="sigmoid"), **choices)


def drawn(corruption, n: int, noise: fd.Noise, **address) -> torch.Tensor:
    """The entries that the corruption takes, by its definition."""
    u = fd.ops.uniform(n, 20, noise, **address)[0]
    return u < (corruption.drop if isinstance(corruption, Masking) else corruption.p)


@pytest.mark.parametrize("corruption", [Masking(0.3), SaltAndPepper(0.4), SaltAndPepper(0.5, low=-1.0, high=0.05)])
@pytest.mark.parametrize("shape", [(20,), (1, 4, 5)])
def test_the_entries_are_those_that_were_drawn(corruption, shape):
    """Also where the image has the value already, as black pixels that are masked have."""
    x, noise = torch.zeros(8, *shape, dtype=torch.uint8), fd.Noise(3, step=2)
    address = {"site": Site.VALIDATION, "row_offset": 5}
    found = corrupted_entries(build(corruption=corruption), x, noise, **address)
    assert found.shape == x.shape and torch.equal(found.flatten(1), drawn(corruption, 8, noise, **address))
    assert torch.equal(corrupted_entries(build(corruption=corruption), x[3:], noise, site=6, row_offset=8), found[3:])


def test_patches_take_their_rectangles_and_shuffling_what_changes_its_place():
    x, address = torch.rand(6, 4, 5), {"site": Site.RECONSTRUCTION, "row_offset": 2}
    for corruption in (Patches((2, 3), 1), Shuffling(2)):
        x_tilde = fd.ops.corrupt(x, corruption, fd.Noise(1), **address)[0]
        # of numbers that are all different and none of which is the fill
        found = corrupted_entries(build(corruption=corruption), x, fd.Noise(1), **address)
        assert torch.equal(found, x_tilde != x) and 0 < int(found.sum()) < found.numel()


@pytest.mark.parametrize(("corruption", "share"), [(Gaussian(0.1), 1.0), (Gaussian(0.0), 0.0), (Masking(0.0), 0.0)])
def test_gaussian_noise_takes_every_entry_and_no_noise_none(corruption, share):
    found = corrupted_entries(build(corruption=corruption), images(), fd.Noise(0), site=0)
    assert float(found.float().mean()) == share


@pytest.mark.parametrize("loss", ["bce", "mse"])
@pytest.mark.parametrize("emphasis", [(2.0, 0.5), (1.0, 0.0), [0, 3]])
def test_the_step_is_the_weighed_loss_s_by_hand(loss, emphasis):
    """Vincent et al. 2010, section 3.4, as means over all entries."""
    corruption = SaltAndPepper(0.4)
    model = build(corruption=corruption, loss=loss, emphasis=emphasis).double()
    by_hand, x = copy.deepcopy(model), torch.rand(8, 20, dtype=torch.float64)
    losses = train(model, x)
    adam = torch.optim.Adam(by_hand.parameters(), lr=1e-2)
    for k in range(3):
        noise, address = fd.Noise(5, step=k), {"site": Site.RECONSTRUCTION}
        x_hat = by_hand.decoder(by_hand.encoder(fd.ops.corrupt(x, corruption, noise, **address)[0]))
        each = (x_hat - x) ** 2 if loss == "mse" else -(x * x_hat.log() + (1 - x) * (1 - x_hat).log())
        taken = drawn(corruption, 8, noise, **address)
        expected = (emphasis[0] * each[taken].sum() + emphasis[1] * each[~taken].sum()) / each.numel()
        adam.zero_grad()
        expected.backward()
        adam.step()
        assert losses[k] == {"reconstruction": pytest.approx(float(expected.detach()), rel=1e-9)}
    assert torch.allclose(parameters(model), parameters(by_hand), atol=1e-9, rtol=0)


def test_equal_weights_scale_the_plain_loss():
    plain, emphasised = build(corruption=Masking(0.3)), build(corruption=Masking(0.3), emphasis=(2, 2))
    x = images()
    losses = [model.validation_losses(x, fd.Noise(1))["reconstruction"] for model in (plain, emphasised)]
    assert float(losses[1]) == pytest.approx(2 * float(losses[0]), rel=1e-6)
    # of Gaussian noise, the corrupted entries' weight is everybody's
    of_all = [build(corruption=Gaussian(0.3), emphasis=(3, beta)).validation_losses(x, fd.Noise(1)) for beta in (0, 5)]
    assert of_all[0] == of_all[1]


def test_noise_of_one_s_own_is_seen_where_it_takes_an_entry():
    class Dead(fd.models.Autoencoder):
        def corrupted(self, x, noise, *, site, row_offset=0):
            x_tilde = super().corrupted(x, noise, site=site).clone()
            x_tilde[:, 3:7] = 0.25
            return x_tilde

    model = Dead(mlp([20, 3]), mlp([3, 20], output="sigmoid"), emphasis=(2, 1))
    found = corrupted_entries(model, images(), fd.Noise(0), site=0)
    assert torch.equal(found[0].nonzero()[:, 0], torch.arange(3, 7)) and bool((found == found[0]).all())
    assert train(model, images())[-1]["reconstruction"] > 0


def test_runs_keep_the_emphasis(tmp_path):
    def fit(epochs, run_dir=None):
        torch.manual_seed(0)
        parts = mlp([64, 8]), mlp([8, 64], output="sigmoid")
        model = fd.models.Autoencoder(*parts, corruption=Masking(0.5), emphasis=(1.0, 0.25))
        fd.Trainer(model, epochs=epochs, batch_size=20, run_dir=run_dir).fit(digits(), progress=False)
        return model

    fit(1, tmp_path)
    resumed, straight = fit(2, tmp_path), fit(2)
    loaded = fd.load(tmp_path)
    assert torch.equal(parameters(resumed), parameters(straight)) and loaded.emphasis == (1.0, 0.25)
    assert torch.equal(parameters(loaded), parameters(resumed))
    config = loaded.config
    del config["emphasis"]  # as runs of earlier versions have none
    assert from_config(config).emphasis is None


@pytest.mark.parametrize("emphasis", [2, (1, 2, 3), (1, -1), (0, 0), (1, float("nan")), "ab", (True, 1), [[1], [2]]])
def test_other_weights_are_refused(emphasis):
    refused(lambda: build(corruption=Masking(0.5), emphasis=emphasis), "emphasis must be (alpha, beta), the weights")


def test_what_has_no_corrupted_entries_is_refused():
    refused(lambda: build(emphasis=(1, 0)), "emphasis must be left out without a corruption")
    networks = mlp([20, 2]), mlp([2, 20], output="sigmoid"), mlp([2, 1])
    choices = {"prior": fd.priors.Normal(2), "corruption": Masking(0.5)}
    refused(lambda: fd.DAAE(*networks, **choices, emphasis=(1, 0)), "unexpected keyword argument 'emphasis'")
