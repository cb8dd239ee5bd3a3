"""An OpenAI-compatible server on loopback behind which sits a deterministic sandbox writer, not AI.

The `openai` client drives it unchanged. Start it with
`python -m sandbox.model --port 8901 --database-url postgresql://…`, or in a test with `running(database_url)`.
"""

from sandbox.model.server import RunningModel, running

__all__ = ["RunningModel", "running"]
