"""Quality gates: check files, their evaluation by Great Expectations, and what is kept of it."""
