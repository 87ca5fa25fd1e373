"""Training: the step that a loop calls, the Trainer that is that loop, and training block by block."""

from fastdaae.training.layerwise import pretrain
from fastdaae.training.step import TrainingStep, compile_step
from fastdaae.training.trainer import Trainer, TrainingDiverged

__all__ = ["Trainer", "TrainingDiverged", "TrainingStep", "compile_step", "pretrain"]
