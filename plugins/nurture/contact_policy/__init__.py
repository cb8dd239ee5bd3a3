"""Contact policy: whom not to write to although consent allows it, how often, and when. Knows no Airflow and no CRM."""
