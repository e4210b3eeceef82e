"""Sample arguments for every public formula of nvscale.formulas.limits, in SI."""

from nvscale.formulas.limits import BOLTZMANN

SAMPLES = {
    "landauer_energy": {"temperature": 300.5, "boltzmann": BOLTZMANN, "bits": 64.0},
    "latency_limited_tokens": {"training_time": 7776000.0, "batch": 4e6, "layers": 120.0, "layer_time": 40e-6},
}
