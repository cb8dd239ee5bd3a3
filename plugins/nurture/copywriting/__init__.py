"""What people are told: templates, facts, guardrails, the store, the engine. Knows nothing of Airflow or of a vendor."""
