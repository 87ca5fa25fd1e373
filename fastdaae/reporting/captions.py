"""One sentence under each figure: what to look for, and the figure of the paper beside which it stands."""

PAPER = "The paper is Creswell and Bharath, “Denoising Adversarial Autoencoders” (2018)."

LOSSES = (
    "Validation should follow training down, and the discriminator should stay near its dashed equilibrium, "
    "where it cannot tell codes from draws of the prior."
)
RECONSTRUCTIONS = (
    "Reconstructions should lose the noise and keep what makes each image its own (beside Figure 7 of the paper); "
    "pixels are clipped to [0, 1] to be shown."
)
SAMPLES = (
    "Samples should be varied and look like the data, and the chain should make them clearer without losing whole "
    "kinds of images (Figures 4 and 12 of the paper)."
)
CHAIN = (
    "A good chain moves between plausible images instead of settling on one or on a mean "
    "(Figures 12 and 13 of the paper show the ends of such chains)."
)
LIKELIHOOD = (
    "Each curve should peak inside the grid, at the large marker on the chosen bandwidth; compare the order of the "
    "peaks and their differences (Table V of the paper)."
)
DIMENSION = (
    "Samples of lower dimension than the real images vary in fewer ways than the data do; noise raises the dimension "
    "(the maximum-likelihood estimator of Levina and Bickel)."
)


def code_histograms(model: str, has_prior: bool) -> str:
    """What should match the prior in this model: clean codes, but for a DAAE the corrupted ones; none without one."""
    if not has_prior:
        return f"This {model} has no prior: its codes may have any distribution, and samples need codes to start from."
    matched = "the codes of corrupted images" if model == "DAAE" else "the codes of clean images"
    return f"In this {model}, {matched} should have the distribution of the prior (Figure 2 of the paper)."


def code_plane(labelled: bool) -> str:
    """What the plane of codes shows, with labels or without."""
    if labelled:
        return "Labels that form separate groups can be told apart by codes alone (Figures 12b and 13b of the paper)."
    return "Groups in the plane are kinds of images that the codes keep apart (Figures 12b and 13b of the paper)."
