"""The audit as a page that a person reads: 2-audit/report.html."""
