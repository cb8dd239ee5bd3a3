"""The push ledger: each message once, whatever breaks. Knows nothing of Airflow, nor of one CRM."""
