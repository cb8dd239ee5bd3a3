"""A HubSpot-compatible CRM on loopback with synthetic people, their limits and the vendor's quirks.

`hubspot-api-client` drives it unchanged: `HubSpot(access_token="sandbox-crm-token", host="http://127.0.0.1:<port>")`.
Start it with `python -m sandbox.crm --port 8902 --database-url postgresql://…`, or in a test with `running(database_url)`.
"""

from sandbox.crm.server import RunningCrm, running

__all__ = ["RunningCrm", "running"]
