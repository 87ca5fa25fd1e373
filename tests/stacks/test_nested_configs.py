"""Models within models: their configurations nest, are rebuilt, compared and described, and say what they have lost."""

import json

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.corruptions import Gaussian, Masking
from fastdaae.models import Autoencoder, Classifier, StackedAutoencoder
from fastdaae.models.config import from_config, networks_of
from tests.stacks.small import block, classifier, dataset, images, mlp, refused, stack


def own() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Sigmoid())


def with_own_encoder() -> StackedAutoencoder:
    first = Autoencoder(own(), mlp([8, 16], "sigmoid"), loss="mse")
    return StackedAutoencoder([first, block(8, 4)])


@pytest.mark.parametrize(
    "make",
    [
        stack,
        classifier,
        lambda: Classifier(block(16, 4), mlp([4, 3]), corruption=Masking(0.5), image_shape=(4, 4)),
        lambda: StackedAutoencoder([StackedAutoencoder([block(16, 8)]), block(8, 4, corruption=None)]),
    ],
)
def test_a_configuration_is_that_of_the_model_that_it_makes(make):
    model = make()
    config = json.loads(json.dumps(model.config))
    again = from_config(config)
    assert again.config == config and repr(again) == repr(model)
    assert [p.shape for p in again.parameters()] == [p.shape for p in model.parameters()]
    part = config["blocks"][0] if "blocks" in config else config["autoencoder"]
    assert part["model"] in ("Autoencoder", "StackedAutoencoder")


def test_runs_of_nested_models_are_loaded_to_the_bit(tmp_path):
    for name, model in {"classifier": classifier(), "stack": stack()}.items():
        fd.Trainer(model, epochs=1, batch_size=32, run_dir=tmp_path / name).fit(dataset(), progress=False)
        loaded = fd.load(tmp_path / name)
        assert type(loaded) is type(model) and loaded.image_shape == (4, 4)
        assert all(torch.equal(tensor, loaded.state_dict()[key]) for key, tensor in model.state_dict().items())
        assert torch.equal(loaded(images()), model.eval()(images()))


def test_own_networks_within_are_named_and_the_model_is_passed_whole(tmp_path):
    model = with_own_encoder()
    assert model.config["blocks"][0]["encoder"] is None
    fd.Trainer(model, epochs=1, batch_size=32, run_dir=tmp_path).fit(images(), progress=False)
    words = "blocks[0].encoder cannot be rebuilt from the configuration; build the model yourself and pass model="
    refused(lambda: fd.load(tmp_path), words)
    refused(lambda: fd.load(tmp_path, networks={"encoder": own()}), "networks must be left out for a run of 'Stacked")
    loaded = fd.load(tmp_path, with_own_encoder())
    assert torch.equal(loaded(images()), model.eval()(images())) and loaded.image_shape == (4, 4)


def test_flat_models_still_say_which_networks_they_want():
    config = Autoencoder(own(), mlp([8, 16], "sigmoid")).config
    refused(lambda: from_config(config), "encoder cannot be rebuilt", "pass your own modules as networks={'encoder':")
    assert networks_of("IDAAE") == ["encoder", "decoder", "discriminator"]
    assert networks_of("StackedAutoencoder") == [] == networks_of("Mine")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["blocks"][1].pop("encoder"), "blocks[1].encoder is missing"),
        (lambda c: c["blocks"][1].update(depth=3), "blocks[1].depth is unknown; known are model, encoder"),
        (lambda c: c["blocks"][1].update(loss="hinge"), "blocks[1].loss must be one of 'bce', 'mse', got 'hinge'"),
        (lambda c: c["blocks"][0].update(model="Mine"), "blocks[0] 'Mine' cannot be rebuilt"),
        (lambda c: c["blocks"][0]["corruption"].update(sigma=-1), "blocks[0].corruption.sigma must be"),
        (lambda c: c["blocks"][0]["encoder"].update(sizes=[16, 9]), "code"),
        (lambda c: c["blocks"].append(None), "blocks[2] cannot be rebuilt"),
        (lambda c: c.update(blocks=None), "blocks cannot be rebuilt"),
        (lambda c: c.update(blocks=[]), "blocks must be at least one autoencoder"),
        (lambda c: c.update(blocks=3), "blocks must be a list of autoencoders, got int"),
        (lambda c: c.update(blocks=[{"network": "mlp", "sizes": [2, 2], "output": None}]), "blocks[0] must be an auto"),
    ],
)
def test_a_damaged_configuration_names_the_key(change, words):
    config = json.loads(json.dumps(stack().config))
    change(config)
    refused(lambda: from_config(config), words)


def test_models_within_models_without_end():
    config = stack().config
    for _ in range(500):
        config = {"model": "StackedAutoencoder", "blocks": [config], "image_shape": None}
    refused(lambda: from_config(config), "a model in more than 16 others cannot be rebuilt")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: stack(corruption=Gaussian(0.5)), "its blocks[0].corruption.sigma is 0.5 and the run's is 0.4"),
        (lambda: stack(loss="bce"), "its blocks[0].loss is 'bce' and the run's is 'mse'"),
        (lambda: stack(sizes=(16, 8, 4, 4)), "its blocks is ['Autoencoder', 'Autoencoder', 'Autoencoder']"),
        (lambda: stack(sizes=(16, 9, 4)), "its blocks[0].encoder.sizes is [16, 9] and the run's is [16, 8]"),
        (lambda: block(16, 4), "its class is 'Autoencoder' and the run's is 'StackedAutoencoder'"),
    ],
)
def test_another_model_than_the_run_s_is_refused(other, words, tmp_path):
    model = stack()
    fd.Trainer(model, epochs=1, run_dir=tmp_path).fit(images(), progress=False)
    refused(lambda: fd.load(tmp_path, other()), "model does not fit the checkpoint", words)
    before = (tmp_path / run_folder.CHECKPOINT).read_bytes()
    with pytest.raises(ValueError, match="holds a run with"):
        fd.Trainer(other(), epochs=1, run_dir=tmp_path).fit(images(), progress=False)
    assert (tmp_path / run_folder.CHECKPOINT).read_bytes() == before


def test_what_a_model_within_draws_itself_is_no_difference(tmp_path):
    class Half(Gaussian):
        pass

    fd.Trainer(stack(), epochs=1, run_dir=tmp_path).fit(images(), progress=False)
    assert fd.load(tmp_path, stack(corruption=Half(0.5))).image_shape == (4, 4)


def test_a_description_has_a_line_for_every_network():
    told = repr(classifier()).splitlines()
    assert told[0] == "Classifier(" and "  head: mlp([4, 6, 3]), 51 parameters" in told
    assert "  autoencoder.blocks[1].decoder: mlp([4, 8], output='sigmoid'), 40 parameters" in told
    assert "  autoencoder.blocks[0].corruption: Gaussian(sigma=0.4, clip=None)" in told and "" not in map(
        str.strip, told
    )
