"""Make the pictures of the README and the guide: `python docs/images/make.py`, again whenever figures of the catalogue change."""

import sys
from pathlib import Path

import nvscale as nv

HERE = Path(__file__).parent


def make(folder: Path) -> list[Path]:
    """Draw all pictures into a folder; the same figures give the same files."""
    import matplotlib

    from nvscale import plots

    tracks = [nv.curves(), nv.curves(level="chip")]
    chips = [nv.chip(name) for name in ("p100", "h100", "rubin")]
    drawn = {
        "curves": plots.draw_growth(tracks, "performance", nv.baselines(metric="performance")),
        "roofline": plots.draw_rooflines(chips, ("fp64", "fp16", "fp8", "fp4")),
    }
    made = []
    with matplotlib.rc_context({"svg.hashsalt": "nvscale", "svg.fonttype": "path"}):
        for name, figure in drawn.items():
            made.append(folder / f"{name}.svg")
            figure.savefig(made[-1], metadata={"Date": None, "Creator": None})
    return made


if __name__ == "__main__":
    sys.stdout.writelines(f"{path}\n" for path in make(HERE))
