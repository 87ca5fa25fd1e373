"""One measure of several sample draws: its mean over seeds and how far the seeds differ."""

from collections.abc import Mapping, Sequence

import numpy as np


def over_seeds(taken: Sequence[Mapping]) -> dict:
    """What was measured of each draw, as one: the means, and with several draws the deviation over them.

    Each has "value", "standard_error", "settings" and "curve". `standard_error` stays that of one draw, averaged: it
    is over queries or points, and more draws do not shrink it. `seed_deviation` is the sample standard deviation (ddof
    = 1) of the values; the curve's has one for each place. Settings are those of the first, with the number of seeds;
    curves end where the shortest does.
    """
    if len(taken) == 1:
        return dict(taken[0])
    values, errors = ([draw[name] for draw in taken] for name in ("value", "standard_error"))
    return {
        "value": float(np.mean(values)),
        "standard_error": float(np.mean(errors)),
        "seed_deviation": float(np.std(values, ddof=1)),
        "settings": {**taken[0]["settings"], "seeds": len(taken)},
        "curve": _curve_over_seeds([draw["curve"] for draw in taken]),
    }


def _curve_over_seeds(curves: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, list[float]]:
    abscissa, ordinate, *errors = curves[0]
    places = min(len(curve[abscissa]) for curve in curves)
    stacked = {name: np.array([curve[name][:places] for curve in curves], dtype=float) for name in (ordinate, *errors)}
    means = {name: values.mean(0).tolist() for name, values in stacked.items()}
    deviation = stacked[ordinate].std(0, ddof=1).tolist()
    return {abscissa: list(curves[0][abscissa][:places]), **means, "seed_deviation": deviation}
