"""Measures of models and data: Parzen likelihood, intrinsic dimension, reconstruction, classification of codes."""

from fastdaae.evaluation.classification import pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.dimension import IntrinsicDimension
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.parzen import ParzenWindow
from fastdaae.evaluation.reconstruction import reconstruction_error
from fastdaae.evaluation.summary import evaluate

__all__ = [
    "Estimate",
    "IntrinsicDimension",
    "ParzenWindow",
    "evaluate",
    "pca_svm_accuracy",
    "reconstruction_error",
    "svm_accuracy",
]
