"""Measures of models and data: Parzen likelihood, intrinsic dimension, reconstruction, classification of codes."""

from fastdaae.evaluation.codes.attributes import AttributeAccuracy, attribute_accuracies
from fastdaae.evaluation.codes.classification import linear_svm_accuracy, pca_svm_accuracy, svm_accuracy
from fastdaae.evaluation.codes.clustering import Clustering, clustering
from fastdaae.evaluation.codes.energy import EnergyDistance, energy_distance
from fastdaae.evaluation.codes.few_examples import few_way_accuracy, many_way_accuracy
from fastdaae.evaluation.codes.retrieval import Retrieval, retrieval
from fastdaae.evaluation.estimate import Estimate
from fastdaae.evaluation.estimators.compare import compare
from fastdaae.evaluation.estimators.dimension import IntrinsicDimension
from fastdaae.evaluation.estimators.parzen import ParzenWindow
from fastdaae.evaluation.measure import Measure
from fastdaae.evaluation.models.accuracy import confusion
from fastdaae.evaluation.models.bounds import elbo, importance_weighted_bound
from fastdaae.evaluation.models.components import pca_reconstruction_error
from fastdaae.evaluation.models.filters import Filters, filter_statistics, first_filters
from fastdaae.evaluation.models.reconstruction import reconstruction_error
from fastdaae.evaluation.models.robustness import over_strengths, reconstruction_errors
from fastdaae.evaluation.stored import read_evaluation, write_evaluation
from fastdaae.evaluation.summary import evaluate

__all__ = [
    "AttributeAccuracy",
    "Clustering",
    "EnergyDistance",
    "Estimate",
    "Filters",
    "IntrinsicDimension",
    "Measure",
    "ParzenWindow",
    "Retrieval",
    "attribute_accuracies",
    "clustering",
    "compare",
    "confusion",
    "elbo",
    "energy_distance",
    "evaluate",
    "few_way_accuracy",
    "filter_statistics",
    "first_filters",
    "importance_weighted_bound",
    "linear_svm_accuracy",
    "many_way_accuracy",
    "over_strengths",
    "pca_reconstruction_error",
    "pca_svm_accuracy",
    "read_evaluation",
    "reconstruction_error",
    "reconstruction_errors",
    "retrieval",
    "svm_accuracy",
    "write_evaluation",
]
