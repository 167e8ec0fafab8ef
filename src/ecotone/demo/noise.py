"""Random fields, each from its own generator: fractal relief and correlated weather."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter


def streams(seed: int, names: tuple[str, ...]) -> dict[str, np.random.Generator]:
    """One independent generator per part, so that changing one part leaves the others alone."""
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(child) for name, child in zip(names, children, strict=True)}


def fractal(
    rng: np.random.Generator, shape: tuple[int, int], roughness: float = 2.0
) -> NDArray[np.float64]:
    """A field with power spectrum k^-2*roughness, mean 0, standard deviation 1.

    Spectral synthesis (Saupe 1988, in The Science of Fractal Images, ch. 2).
    """
    spectrum = np.fft.rfft2(rng.standard_normal(shape))
    k = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    k[0, 0] = np.inf
    field = np.fft.irfft2(spectrum * k**-roughness, s=shape)
    return (field - field.mean()) / field.std()


def correlated(
    rng: np.random.Generator, shape: tuple[int, int], cells: float
) -> NDArray[np.float64]:
    """A field with correlation over about ``cells`` cells, mean 0, standard deviation 1.

    Drawn on a coarse lattice and smoothed there, then read between its points: a weather
    map has no fine grain, and 64 of them must cost little.
    """
    step = max(1, int(cells // 3))
    rows, columns = (-(-n // step) + 3 for n in shape)
    coarse = gaussian_filter(rng.standard_normal((rows + 8, columns + 8)), cells / step / 2)
    field = _bilinear(coarse[4:-4, 4:-4], shape, step)
    return (field - field.mean()) / field.std()


def _bilinear(
    coarse: NDArray[np.float64], shape: tuple[int, int], step: int
) -> NDArray[np.float64]:
    """Read a coarse lattice at every cell."""

    def weights(n: int, lattice: int) -> NDArray[np.float64]:
        at = np.arange(n) / step
        low = at.astype(int)
        matrix = np.zeros((n, lattice))
        matrix[np.arange(n), low] = 1 - (at - low)
        matrix[np.arange(n), low + 1] += at - low
        return matrix

    return weights(shape[0], coarse.shape[0]) @ coarse @ weights(shape[1], coarse.shape[1]).T
