"""Measures of models and data: Parzen likelihood, intrinsic dimension, reconstruction, classification of codes."""

from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.compare import compare
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.parzen import ParzenWindow
from fastdaae.evaluation.reconstruction import reconstruction_error
from fastdaae.evaluation.stored import read_evaluation, write_evaluation
from fastdaae.evaluation.summary import evaluate

__all__ = [
    "Estimate",
    "IntrinsicDimension",
    "Measure",
    "ParzenWindow",
    "compare",
    "evaluate",
    "pca_svm_accuracy",
    "read_evaluation",
    "reconstruction_error",
    "svm_accuracy",
    "write_evaluation",
]
