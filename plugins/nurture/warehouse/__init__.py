"""The warehouse: PostgreSQL through psycopg 3. Knows nothing of Airflow."""
