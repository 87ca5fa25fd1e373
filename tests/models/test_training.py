"""The Trainer and its step: what it records, what it refuses, and that the same settings give the same numbers."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.ops.network import Plan
from fastdaae.training import TrainingDiverged, batches
from fastdaae.training.optimizers import make_optimizers


def build(seed: int = 0, **choices) -> nn.Module:
    torch.manual_seed(seed)
    networks = fd.networks.mlp([16, 24, 3]), fd.networks.mlp([3, 24, 16], output="sigmoid"), fd.networks.mlp([3, 24, 1])
    arguments = {"prior": fd.priors.Normal(3), "corruption": fd.corruptions.Gaussian(0.5), "copies": 2, **choices}
    return fd.IDAAE(*networks, **arguments)


def images(count: int = 200) -> torch.Tensor:
    return torch.randint(0, 256, (count, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def dataset() -> fd.data.Dataset:
    split = fd.data.Split(images(), None)
    return fd.data.Dataset(split, fd.data.Split(images(60), None), split, "random")


def fit(model, data=None, **settings):
    settings = {"epochs": 2, "batch_size": 32, "lr": 1e-3, **settings}
    return fd.Trainer(model, **settings).fit(dataset() if data is None else data, progress=False)


def parameters(model) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_fit_is_the_loop_over_steps():
    model, by_hand = build(), build()
    history = fit(model, epochs=2)
    optimizers = make_optimizers(by_hand.parameter_groups(), "adam", 1e-3)
    step, recorded = fd.compile_step(by_hand, optimizers, seed=0), []
    for epoch in range(2):
        order = batches.epoch_order(200, 0, epoch)
        recorded.append([step(images()[order[i * 32 : (i + 1) * 32]]) for i in range(6)])
    assert torch.equal(parameters(model), parameters(by_hand))
    for line, losses in zip(history, recorded, strict=True):
        for name, mean in line["losses"].items():
            assert mean == pytest.approx(float(np.mean([float(one[name]) for one in losses])), rel=1e-6)
    assert [line["step"] for line in history] == [6, 12] and step.noise.step == 12


def test_validation_is_the_mean_over_the_held_out_images():
    model = build()
    line = fit(model, epochs=1)[0]
    x = images(60)
    losses = model.validation_losses(x, fd.Noise(0))
    assert line["validation"] == {name: pytest.approx(float(value), rel=1e-6) for name, value in losses.items()}
    x_tilde = fd.ops.corrupt(x, model.corruption, fd.Noise(0), site=fd.noise.Site.VALIDATION)[0]
    assert float(losses["mse"]) == pytest.approx(
        float((model.reconstruct(x_tilde) - x / 255).square().mean()), rel=1e-5
    )


def test_an_epoch_visits_every_image_once_and_epochs_differ():
    orders = [batches.epoch_order(500, 3, epoch) for epoch in range(3)]
    assert all(torch.equal(order.sort().values, torch.arange(500)) for order in orders)
    assert not torch.equal(orders[0], orders[1])
    assert not torch.equal(batches.epoch_order(500, 4, 0), orders[0])


@pytest.mark.parametrize("data", [images(), images().float() / 255, images().double().numpy() / 255])
def test_tensors_and_arrays_train_like_a_dataset(data):
    model, expected = build(), build()
    history = fit(model, data)
    fit(expected, fd.data.Split(images(), None))
    assert torch.allclose(parameters(model), parameters(expected), atol=1e-6)
    assert "validation" not in history[0]


def test_same_settings_same_numbers_and_seeds_differ():
    one, two, other = build(), build(), build()
    fit(one)
    fit(two)
    fit(other, seed=1)
    assert torch.equal(parameters(one), parameters(two)) and not torch.equal(parameters(one), parameters(other))


@pytest.mark.parametrize(
    ("optimizer", "kind"),
    [
        ("adam", torch.optim.Adam),
        ("adamw", torch.optim.AdamW),
        ("rmsprop", torch.optim.RMSprop),
        ("sgd", torch.optim.SGD),
    ],
)
def test_optimizers_by_name(optimizer, kind):
    made = make_optimizers(build().parameter_groups(), optimizer, 0.1)
    assert list(made) == ["reconstruction", "discriminator", "encoder"]
    assert all(type(one) is kind and one.param_groups[0]["lr"] == 0.1 for one in made.values())


def test_one_optimizer_and_rate_for_each_update():
    momentum = {"name": "rmsprop", "momentum": 0.1}
    choice = {"reconstruction": "rmsprop", "discriminator": momentum, "encoder": "sgd"}
    made = make_optimizers(
        build().parameter_groups(), choice, {"reconstruction": 1.0, "discriminator": 2.0, "encoder": 3}
    )
    assert made["discriminator"].param_groups[0]["momentum"] == 0.1
    assert [one.param_groups[0]["lr"] for one in made.values()] == [1.0, 2.0, 3.0]
    assert momentum == {"name": "rmsprop", "momentum": 0.1}


@pytest.mark.parametrize(
    ("schedule", "last"), [("linear", 1 - 11 / 12), ("cosine", 0.5 * (1 + math.cos(math.pi * 11 / 12)))]
)
def test_schedule_scales_the_rate_over_the_whole_run(schedule, last, monkeypatch):
    rates = []
    original = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *a: (rates.append(self.param_groups[0]["lr"]), original(self, *a))[1]
    )
    fit(build(), schedule=schedule)
    assert len(rates) == 36 and rates[0] == 1e-3
    assert rates[-1] == pytest.approx(1e-3 * last)


def test_bf16_trains_close_to_fp32():
    exact, low = build(), build()
    expected, given = fit(exact, epochs=3), fit(low, epochs=3, precision="bf16")
    assert not torch.equal(parameters(exact), parameters(low))
    assert given[-1]["losses"]["reconstruction"] == pytest.approx(expected[-1]["losses"]["reconstruction"], abs=5e-3)


def test_dropout_repeats_with_the_seed_and_leaves_the_global_state_alone():
    def with_dropout():
        model = build()
        model.encoder.insert(3, nn.Dropout(0.5))
        return model

    one, two = with_dropout(), with_dropout()
    fit(one)
    before = torch.get_rng_state()
    fit(two)
    assert torch.equal(parameters(one), parameters(two)) and torch.equal(torch.get_rng_state(), before)


# the run's folder


def test_run_folder_holds_configuration_metrics_and_checkpoint(tmp_path):
    model = build()
    history = fit(model, run_dir=tmp_path / "run")
    config = json.loads((tmp_path / "run" / run_folder.CONFIG).read_text())
    assert config["model"] == model.config and config["trainer"]["epochs"] == 2
    lines = (tmp_path / "run" / run_folder.METRICS).read_text().splitlines()
    assert [json.loads(line) for line in lines] == history
    loaded = fd.load(tmp_path / "run")
    assert torch.equal(parameters(loaded), parameters(model)) and not loaded.training
    assert torch.equal(loaded.sample(4), model.sample(4))


def test_networks_of_one_s_own_are_passed_in_and_never_unpickled(tmp_path):
    def own():
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
        decoder, discriminator = nn.Sequential(nn.Linear(3, 16), nn.Sigmoid()), nn.Linear(3, 1)
        return fd.AAE(encoder, decoder, discriminator, prior=fd.priors.Normal(3))

    model = own()
    fit(model, run_dir=tmp_path)
    with pytest.raises(ValueError, match="encoder, decoder, discriminator cannot be rebuilt.*pass model="):
        fd.load(tmp_path)
    assert torch.equal(parameters(fd.load(tmp_path, own())), parameters(model))
    with pytest.raises(ValueError, match="model does not fit the checkpoint"):
        fd.load(tmp_path, build())


def test_a_finished_run_is_not_trained_again_and_more_epochs_continue(tmp_path):
    model = build()
    history = fit(model, run_dir=tmp_path)
    again = build(seed=9)
    assert fit(again, run_dir=tmp_path) == history
    assert torch.equal(parameters(again), parameters(model))
    longer, straight = build(), build()
    fit(longer, epochs=4, run_dir=tmp_path)
    fit(straight, epochs=4)
    assert torch.equal(parameters(longer), parameters(straight))


@pytest.mark.parametrize(
    "optimizer", ["adam", "sgd", {"name": "sgd", "momentum": 0.9}, {"name": "rmsprop", "momentum": 0.1}]
)
def test_resuming_is_bitwise_for_every_optimizer(optimizer, tmp_path):
    resumed, straight = build(), build()
    fit(build(), epochs=1, optimizer=optimizer, run_dir=tmp_path)
    fit(resumed, epochs=3, optimizer=optimizer, run_dir=tmp_path)
    fit(straight, epochs=3, optimizer=optimizer)
    assert torch.equal(parameters(resumed), parameters(straight))


@pytest.mark.parametrize(
    ("key", "settings", "model"),
    [("lr=0.001", {"lr": 2e-3}, {}), ("seed=0", {"seed": 1}, {}), ("copies=2", {}, {"copies": 3})],
)
def test_another_run_s_folder_is_refused(key, settings, model, tmp_path):
    fit(build(), run_dir=tmp_path)
    before = (tmp_path / run_folder.CHECKPOINT).read_bytes()
    with pytest.raises(ValueError, match=f"holds a run with {key}, and this one has"):
        fit(build(**model), run_dir=tmp_path, **settings)
    with pytest.raises(ValueError, match="holds a run with data="):
        fit(build(), images(100), run_dir=tmp_path)
    assert (tmp_path / run_folder.CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "text"])
def test_a_damaged_checkpoint_is_told_in_one_line_and_nothing_is_lost(damage, tmp_path):
    fit(build(), run_dir=tmp_path)
    path = tmp_path / run_folder.CHECKPOINT
    whole = path.read_bytes()
    broken = {"truncate": whole[:-100], "empty": b"", "text": b"not a checkpoint"}.get(damage)
    if broken is None:
        at = len(whole) - 50
        broken = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    path.write_bytes(broken)
    for call in (lambda: fit(build(), epochs=3, run_dir=tmp_path), lambda: fd.load(tmp_path)):
        with pytest.raises(
            ValueError, match=r"checkpoint .* (cannot be read|is damaged).*remove it and train again"
        ) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert len((tmp_path / run_folder.METRICS).read_text().splitlines()) == 2 and path.read_bytes() == broken


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="is .* the folder of a run"):
        fd.load(tmp_path)


# what goes wrong


def test_nan_losses_stop_the_run_and_name_the_step(tmp_path):
    model, order = build(), batches.epoch_order(200, 0, 1)
    fit(model, epochs=1, run_dir=tmp_path)

    class Explodes(fd.IDAAE):
        def step(self, x, noise, update, **where):
            losses = super().step(x, noise, update, **where)
            return {**losses, "encoder": losses["encoder"] * math.nan} if noise.step == 9 else losses

    model.__class__ = Explodes
    Explodes.__name__ = "IDAAE"
    with pytest.raises(
        TrainingDiverged, match=r"the loss 'encoder' is nan at step 10; the last good checkpoint is .*checkpoint"
    ):
        fit(model, epochs=2, run_dir=tmp_path)
    assert len(order) == 200 and torch.isfinite(parameters(fd.load(tmp_path))).all()


def test_parameters_that_explode_at_the_last_step_are_not_saved(tmp_path):
    model = build()
    with pytest.raises(TrainingDiverged, match="not finite.*no checkpoint was written yet|is .* at step"):
        fit(model, epochs=1, lr=1e38, optimizer="sgd", run_dir=tmp_path)
    assert not (tmp_path / run_folder.CHECKPOINT).exists()


@pytest.mark.parametrize("choices", [{}, {"form": "released"}, {"copies": 1}])
def test_networks_are_read_once_for_all_steps(choices, monkeypatch):
    read, of = [], Plan.of

    def counted(network):
        read.append(network)
        return of(network)

    model = build(**choices)
    monkeypatch.setattr(Plan, "of", staticmethod(counted))
    optimizers = make_optimizers(model.parameter_groups(), "adam", 1e-3)
    step = fd.compile_step(model, optimizers)
    assert list(model.plans()) == ["encoder", "decoder", "discriminator"]
    read.clear()
    step(images(8)), step(images(8))
    assert not any(isinstance(network, nn.Module) for network in read)


def test_a_hook_that_comes_after_the_networks_were_read_is_called():
    model, calls = build(), []
    step = fd.compile_step(model, make_optimizers(model.parameter_groups(), "adam", 1e-3))
    model.encoder[1].register_forward_hook(lambda *_: calls.append("encoder"))
    model.decoder.register_forward_hook(lambda *_: calls.append("decoder"))
    step(images(8))
    assert "encoder" in calls and "decoder" in calls
