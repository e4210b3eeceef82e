"""The pure core: one topic a module, every formula usable with floats, arrays, symbols, tracers and quantities."""

from nvscale.formulas import cost, energy, growth, interconnect, memory, number_formats, roofline, topology

__all__ = ["cost", "energy", "growth", "interconnect", "memory", "number_formats", "roofline", "topology"]
