"""The steps of a night as Airflow shows them. Thin: the work is in the domain packages."""
