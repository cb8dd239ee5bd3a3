"""Stands in for GA4, the CRM and the model on loopback. Never imported by the package; synthetic throughout."""
