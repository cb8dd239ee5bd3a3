"""Who is who: people from contacts and devices, merges followed, mistakes separated. Knows nothing of Airflow."""
