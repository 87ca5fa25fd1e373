"""`Draw`: what is drawn and where, the record in which corruptions and noise addresses cross the floors."""

from typing import NamedTuple

from fastdaae.corruptions import Corruption, Gaussian, Masking, Patches, SaltAndPepper

# those of single entries; "patches" and "shuffling" are of regions of an image
KINDS = ("none", "gaussian", "clipped_gaussian", "masking", "salt_and_pepper")
# the fields as a registered operator takes them, one after the other
SCHEMA = (
    "str kind, float amount, float low, float high, SymInt[] image, int copies, SymInt row_offset, int site, "
    "int ahead, int patch_height, int patch_width, int patches"
)


class Draw(NamedTuple):
    """A corruption in the kernels' words, and the address of its noise; its fields are the arguments of `SCHEMA`.

    `amount` is the deviation of "gaussian" and "clipped_gaussian" and the probability of "masking" and
    "salt_and_pepper"; `low` and `high` clip, or are what pepper and salt write; `low` is what "patches" write, and the
    last fields are the size of each and their number. `image` is the shape of one sample, whose flat size is the number
    of columns; "patches" read its last two sizes. Row i of copy c reads the noise of row row_offset + i, copy c, `site`
    and the step `ahead` steps after that of the noise.
    """

    kind: str = "none"
    amount: float = 0.0
    low: float = 0.0
    high: float = 0.0
    image: tuple[int, ...] = ()
    copies: int = 1
    row_offset: int = 0
    site: int = 0
    ahead: int = 0
    patch_height: int = 0
    patch_width: int = 0
    patches: int = 0

    @property
    def passes_all(self) -> bool:
        """Whether x~ follows x everywhere, so that a gradient passes unchanged."""
        return self.kind in ("none", "gaussian")

    @property
    def problem(self) -> str | None:
        """Why no kernel draws it, or None."""
        return "no kernel shuffles pixels, PyTorch's sort and gather do" if self.kind == "shuffling" else None

    @property
    def address(self) -> dict[str, int]:
        """Where it is drawn, as public functions take it: copies, row_offset and site."""
        return {"copies": self.copies, "row_offset": self.row_offset, "site": self.site}

    def of_copies(self, copies: int) -> "Draw":
        """The same with another number of copies."""
        return self._replace(copies=copies)


PLAIN = Draw()


def draw_of(
    corruption: Corruption | None,
    image: tuple[int, ...] = (),
    copies: int = 1,
    row_offset: int = 0,
    site: int = 0,
    ahead: int = 0,
) -> Draw:
    """The draw of a corruption (None: no noise) at an address."""
    rectangles = (
        (corruption.height, corruption.width, corruption.count) if isinstance(corruption, Patches) else (0, 0, 0)
    )
    return Draw(*_words(corruption), image, copies, row_offset, site, ahead, *rectangles)


def _words(corruption: Corruption | None) -> tuple[str, float, float, float]:
    if corruption is None:
        return "none", 0.0, 0.0, 0.0
    if isinstance(corruption, Gaussian):
        clip = corruption.clip
        return ("clipped_gaussian", corruption.sigma, *clip) if clip else ("gaussian", corruption.sigma, 0.0, 0.0)
    if isinstance(corruption, Masking):
        return "masking", corruption.drop, 0.0, 0.0
    if isinstance(corruption, SaltAndPepper):
        return "salt_and_pepper", corruption.p, corruption.low, corruption.high
    return ("patches", 0.0, corruption.fill, 0.0) if isinstance(corruption, Patches) else ("shuffling", 0.0, 0.0, 0.0)
