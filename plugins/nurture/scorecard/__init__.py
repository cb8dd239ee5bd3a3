"""Pages of the Airflow UI that show a night. Reads the warehouse only."""
