"""A value for any JSON schema of the strict subset: known properties are taken over, the rest is plain filler."""

import random
from typing import Any

FILLER = ["Written by the sandbox.", "Sandbox text, not AI.", "A sentence from the sandbox writer."]
DEPTH_LIMIT = 12  # of schemas that refer to themselves


def value_for(
    schema: dict[str, Any], rng: random.Random, *, known: dict[str, Any] | None = None, root: dict[str, Any] | None = None,
    depth: int = 0,
) -> Any:  # fmt: skip
    """A value that satisfies `schema`; properties of the outermost object found in `known` are taken from there."""
    root = root or schema
    if "$ref" in schema:
        return value_for(_resolve(schema["$ref"], root), rng, root=root, depth=depth + 1) if depth < DEPTH_LIMIT else None
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return value_for(options[-1] if depth >= DEPTH_LIMIT else options[0], rng, root=root, depth=depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        known = known or {}
        return {
            name: known[name] if name in known else value_for(inner, rng, root=root, depth=depth + 1)
            for name, inner in properties.items()
        }
    if kind == "array":
        count = max(schema.get("minItems", 1), 1 if depth < DEPTH_LIMIT else 0)
        return [value_for(schema.get("items", {}), rng, root=root, depth=depth + 1) for _ in range(count)]
    if kind in ("integer", "number"):
        low = schema.get("minimum", 0)
        return rng.randint(int(low), int(schema.get("maximum", low + 10)))
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "null":
        return None
    return _filler(schema, rng)


def _filler(schema: dict[str, Any], rng: random.Random) -> str:
    text = rng.choice(FILLER)
    text *= 1 + schema.get("minLength", 0) // len(text)
    return text[: schema.get("maxLength", len(text))]


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    """The subschema that a local reference such as `#/$defs/Fact` points to."""
    found: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            found = found[part]
    return dict(found)
