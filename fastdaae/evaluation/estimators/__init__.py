"""Estimators of sets of points: Parzen windows and intrinsic dimension, and what they take for points."""
