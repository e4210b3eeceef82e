"""Views of estimators: growth, decomposition and curves."""
