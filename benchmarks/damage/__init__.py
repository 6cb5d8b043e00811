"""Damaged catalogues: what the quality audits, checks and repairs find of faults that were put in.

A section of the benchmark is one module of this package with

    def run(shop: Shop, seed: int) -> dict[str, Any] | None

It puts its faults into `shop.products` (`inject`; every draw depends on `seed` alone), lets Lingsou and the obvious
baseline look for them, and returns numbers, or dictionaries of numbers (`scoring.scored` makes the usual ones).
`None`: the section has nothing to do with such a folder (a section of reviews and a catalogue). A folder that lacks
what the section needs is told of: `return {"not_scored": "there is no category column"}`.

`benchmarks/data_quality.py` finds the modules by their `run`, calls each for every shop and seed, and reports the mean
over the seeds and each seed's own numbers. A section that has an `on_clean(shop)` is also asked, by `--clean`, what it
flags when nothing was put in.

`shops` reads folders, `inject` damages, `scoring` counts.
"""
