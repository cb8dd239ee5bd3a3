"""A real language model of 135 million parameters behind OpenAI's protocol, without a graphics card (docs/local-model.md).

It runs in a virtual environment of its own (requirements-local-model.in). Its text is SmolLM2's: grammatical, and mostly
untrue. That is its use here: it shows what the guardrails let through when a model writes nonsense of its own accord.
"""
