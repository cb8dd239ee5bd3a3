"""Starts Airflow's own API app with this project's plugin, asks it as nobody and as a viewer, prints the answers.

Run as a process of its own: which plugins there are is read once, when Airflow is first imported.
"""

import json
import sys


def main(paths: list[str]) -> None:
    """Print status and content type of each path, for nobody and for a viewer, and the plugin's views."""
    from airflow.api_fastapi.app import create_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from airflow.plugins_manager import _get_ui_plugins
    from fastapi.testclient import TestClient

    with TestClient(create_app(apps="core"), raise_server_exceptions=False) as client:
        token = client.app.state.auth_manager.generate_jwt(SimpleAuthManagerUser(username="v", role="viewer"))  # type: ignore[attr-defined]
        answers = {
            path: {
                "nobody": client.get(path).status_code,
                "forged": client.get(path, headers={"Authorization": "Bearer x.y.z"}).status_code,
                "viewer": client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code,
                "viewer_by_cookie": client.get(path, headers={"Cookie": f"_token={token}"}).status_code,
                "text": client.get(path, headers={"Authorization": f"Bearer {token}"}).text,
            }
            for path in paths
        }
    views = [view["destination"] for view in _get_ui_plugins()[0] if view["url_route"].startswith("nurture")]
    print(json.dumps({"answers": answers, "views": views}))


if __name__ == "__main__":
    main(sys.argv[1:])
