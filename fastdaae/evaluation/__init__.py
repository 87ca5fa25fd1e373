"""Measures of models and data: Parzen likelihood, intrinsic dimension, reconstruction, classification of codes."""

from fastdaae.evaluation.codes.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.estimators.compare import compare
from fastdaae.evaluation.estimators.dimension import IntrinsicDimension
from fastdaae.evaluation.estimators.parzen import ParzenWindow
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.reconstruction import reconstruction_error
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
