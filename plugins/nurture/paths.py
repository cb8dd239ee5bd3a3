"""Where the data files of the package live, derived from this file and never from the working directory."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

INCLUDE = Path(os.environ.get("NURTURE_INCLUDE", PROJECT / "include"))
"""SQL, prompts, checks, facts and policy. `NURTURE_INCLUDE` points elsewhere when the package is installed."""

SQL = INCLUDE / "sql"
PROMPTS = INCLUDE / "prompts"
CHECKS = INCLUDE / "checks"
FACTS = INCLUDE / "facts"
POLICY = INCLUDE / "policy.yaml"
