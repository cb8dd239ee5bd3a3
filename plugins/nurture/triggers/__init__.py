"""What waits without a worker: run by Airflow's triggerer."""
