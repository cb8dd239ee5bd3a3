"""Validates docker-compose.yaml without a Docker engine: `docker compose config` where the client is, structure everywhere.

Run as `python -m tests.check_compose`. Nothing is built or started: see README, "what was not run here".
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
COMPOSE = PROJECT / "docker-compose.yaml"


def problems(text: str) -> list[str]:
    """What is wrong with the compose file, in words; empty when nothing was found."""
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    volumes = set(yaml.safe_load(text).get("volumes", {}))
    found = []
    for name, service in services.items():
        if not service.get("image") and not service.get("build"):
            found.append(f"{name}: has neither image nor build")
        found += [
            f"{name}: needs {other}, which is no service" for other in service.get("depends_on", {}) if other not in services
        ]
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if not source.startswith(".") and source not in volumes:
                found.append(f"{name}: volume {source} is not declared")
            if source.startswith("./") and source != "./secrets" and not (PROJECT / source).exists():
                found.append(f"{name}: {source} does not exist")
        found += [
            f"{name}: port {port} is open to the world"
            for port in service.get("ports", [])
            if not port.startswith("127.0.0.1:")
        ]
    wanted = set(re.findall(r"\$\{(\w+)", text))
    offered = set(re.findall(r"^(\w+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    found += [f".env.example lacks {name}" for name in sorted(wanted - offered)]
    copied = re.findall(r"COPY (?:--\S+ )?(\S+) \S+", (PROJECT / "Dockerfile").read_text())
    found += [f"Dockerfile copies {source}, which does not exist" for source in copied if not (PROJECT / source).exists()]
    return found


def main() -> None:
    found = problems(COMPOSE.read_text())
    if found:
        sys.exit("\n".join(found))
    said = "structure only: no docker client here"
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        filled = dict.fromkeys(re.findall(r"\$\{(\w+)", COMPOSE.read_text()), "x")
        command = ["docker", "compose", "-f", str(COMPOSE), "config", "--quiet"]
        subprocess.run(command, check=True, env={**os.environ, **filled})
        said = "structure, and `docker compose config`"
    print(f"docker-compose.yaml is valid ({said})")


if __name__ == "__main__":
    main()
