"""Training: the step that a loop calls, and the Trainer that is that loop."""

from fastdaae.training.step import TrainingStep, compile_step
from fastdaae.training.trainer import Trainer, TrainingDiverged

__all__ = ["Trainer", "TrainingDiverged", "TrainingStep", "compile_step"]
