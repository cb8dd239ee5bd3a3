"""What becomes of rows that could not be used: who has them tried again, and what came of it. Knows nothing of Airflow."""
