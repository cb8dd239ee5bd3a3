"""What is kept of people: erased, handed out, let go of, as `include/personal_data.yaml` says. Knows nothing of Airflow."""
