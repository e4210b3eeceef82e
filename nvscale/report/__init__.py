"""The report: performance, energy and cost-reduction curves as tables, as JSON and as one page."""

from nvscale.report.sections import Report, build_report

__all__ = ["Report", "build_report"]
