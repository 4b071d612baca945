"""A report as one HTML file: no script, nothing loaded from elsewhere, opens anywhere and prints well."""

from dbops.report.html.page import page

__all__ = ["page"]
