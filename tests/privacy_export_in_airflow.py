"""Starts Airflow's own API app with this project's plugin and asks for an export in several roles; prints the answers.

Run as a process of its own: which plugins there are is read once, when Airflow is first imported.
"""

import json
import sys


def main(paths: list[str]) -> None:
    """Print status, headers and text of each path by role; `nobody` is not logged in."""
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    answers: dict[str, dict[str, dict[str, object]]] = {}
    with TestClient(create_app(apps="core"), raise_server_exceptions=False) as client:
        for role in ("nobody", "viewer", "user", "op", "admin"):
            user = SimpleAuthManagerUser(username=f"{role}-robin", role=role)
            token = client.app.state.auth_manager.generate_jwt(user)  # type: ignore[attr-defined]
            headers = {} if role == "nobody" else {"Authorization": f"Bearer {token}"}
            for path in paths:
                answer = client.get(path, headers=headers)
                answers.setdefault(path, {})[role] = {
                    "status": answer.status_code, "headers": dict(answer.headers), "text": answer.text,
                }  # fmt: skip
    print(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1:])
