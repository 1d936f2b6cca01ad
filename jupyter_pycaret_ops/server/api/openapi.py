"""The OpenAPI document, made from the table of routes and the types of the schemas."""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

import msgspec

from ... import __version__
from ...common.task_types import TASK_TYPES
from .base import REASONS
from .context import Nothing, Route
from .nested_schemas import OPEN, REFERRED
from .routes import ROUTES
from .schemas import EXAMPLES, ErrorOut

MEANING = {
    400: "The body, a query parameter or a reference is not right",
    401: "No credential, or one that nobody knows",
    403: "The caller may not do this",
    404: "No such row",
    409: "Not possible in the present state",
    413: "Too large",
    415: "Send JSON",
    416: "The range lies outside of the file",
    422: "Rows that do not fit the input schema",
    429: "The queue is full",
    503: "Not able to serve now",
}
REASON = {**REASONS, 416: "range", 422: "rows", 429: "limit", 503: "unavailable"}
HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "This request's id, under which the server's log says more",
        "schema": {"type": "string", "format": "uuid"},
    }
}
EXAMPLE_ID = "0193a0b1-7c55-7d2a-9f3e-5b8c1d2e3f40"
EXAMPLE_WORDS = {
    "endpoint_slug": "iris",
    "model_id": "lr",
    "name": "iris",
    "plan": "create",
    "task": next(iter(TASK_TYPES)),
    "workspace_name": "lab",
}
REF = "#/components/schemas/{name}"


@functools.cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 of everything in the table of routes."""
    kinds: list[Any] = [ErrorOut, *REFERRED]
    for route in ROUTES:
        kinds += [kind for kind in (route.body, route.answer) if kind is not None]
        if route.query is not Nothing:
            kinds.append(route.query)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    for kind in OPEN:
        components[kind.__name__]["additionalProperties"] = True
    known = dict(zip((repr(kind) for kind in kinds), schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in ROUTES:
        if route.path:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(
                route, known, components
            )
    _say_items([paths, components])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jupyter PyCaret Ops",
            "version": __version__,
            "description": "AutoML operations inside Jupyter.",
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "jupyter": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`token <Jupyter's token>`",
                },
                "key": {"type": "http", "scheme": "bearer", "description": "An API key"},
                "run": {"type": "http", "scheme": "bearer", "description": "A run token"},
            },
        },
    }


def _say_items(schema: Any) -> None:
    """Say of every array that it has items, also where they are anything: generators pass over it else."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if (kind == "array" or (isinstance(kind, list) and "array" in kind)) and (
            "prefixItems" not in schema
        ):
            schema.setdefault("items", {})
        for part in schema.values():
            _say_items(part)
    elif isinstance(schema, list):
        for part in schema:
            _say_items(part)


def _operation(route: Route, known: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag],
        "security": _security(route),
        "parameters": _parameters(route, known, components),
        "responses": _responses(route, known, components),
    }
    described = inspect.getdoc(route.endpoint or route.handler)
    if described:
        operation["description"] = described
    if route.handler is not None and route.path.endswith("/upload"):
        operation["requestBody"] = _upload_body()
    elif route.body is not None:
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {"application/json": _content(route.body, known, components)},
        }
    return operation


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", route.path.lower()).strip("_") or "root"
    return f"{route.method.lower()}_{words}"


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.access == "public":
        return []
    if route.access == "run":
        return [{"run": []}]
    allowed: list[dict[str, list[str]]] = [{"jupyter": []}]
    if route.scope is not None:
        allowed.append({"key": []})
    if route.access == "serving":
        allowed.append({})
    return allowed


def _parameters(
    route: Route, known: dict[str, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.query is not Nothing:
        shape = known[repr(route.query)]
        if "$ref" in shape:
            shape = components[shape["$ref"].rsplit("/", 1)[1]]
        required = shape.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in shape["properties"].items()
        ]
    return found


def _content(kind: Any, known: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    schema = known[repr(kind)]
    return {"schema": schema, "example": EXAMPLES.get(kind) or _example(schema, components)}


def _example(schema: dict[str, Any], components: dict[str, Any], name: str = "") -> Any:
    """A value of that shape with what it must have, told from types and from what fields are called."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], components, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        return {key: _example(fields[key], components, key) for key in schema.get("required", [])}
    if kind == "array":
        return [_example(schema["items"], components, name)] if schema.get("items") else []
    if kind == "string":
        if schema.get("format") == "date-time":
            return "2026-01-02T03:04:05Z"
        return (
            EXAMPLE_ID
            if name == "id" or name.endswith(("_id", "_by"))
            else EXAMPLE_WORDS.get(name, name)
        )
    return {"integer": 1, "number": 0.5, "boolean": True}.get(str(kind))


def _responses(route: Route, known: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done", "headers": dict(HEADERS)}
    if route.answer is bytes:
        # of the kind that the file has; generators read it as bytes
        good["content"] = {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "*/*": {"schema": {}},
        }
    elif route.answer is not None:
        good["content"] = {"application/json": _content(route.answer, known, components)}
    if "cursor" in getattr(route.query, "__struct_fields__", ()):
        good["headers"]["X-Next-Cursor"] = {
            "description": "Where the next page begins; only when there is one",
            "schema": {"type": "string"},
        }
    answers: dict[str, Any] = {str(status): good for status in (route.status, *route.also)}
    usual: set[int] = set() if route.access == "public" else {400, 401, 403, 503}
    if route.body is not None:
        usual |= {413, 415}
    for status in sorted(usual | set(route.errors)):
        answers[str(status)] = _refusal(status)
    return answers


def _refusal(status: int) -> dict[str, Any]:
    headers = dict(HEADERS)
    if status in (429, 503):
        headers["Retry-After"] = {
            "description": "Seconds until it may be tried again",
            "schema": {"type": "integer", "minimum": 1},
        }
    return {
        "description": MEANING[status],
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"$ref": REF.format(name="ErrorOut")},
                "example": {"message": f"{MEANING[status]}.", "reason": REASON[status]},
            }
        },
    }


#: fields of an upload that say how a text file is read, in place of what is detected
DIALECT_FIELDS = {
    "encoding": "Encoding of the file, such as utf-8 or cp1252",
    "delimiter": "Character between cells: a comma, semicolon, tab or bar",
    "quote": "Character around cells that hold delimiters or line ends",
    "decimal": "Decimal separator of numbers, a point or a comma",
    "thousands": "Separator of groups of digits",
    "header": "Whether the first line has the names of the columns, true or false",
    "skip_rows": "Lines above the header, blank ones included",
}


def _upload_body() -> dict[str, Any]:
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "name"],
                    "properties": {
                        "file": {"type": "string", "contentMediaType": "text/csv"},
                        "name": {"type": "string"},
                        "description": {"type": "string"},
                        **{
                            name: {"type": "string", "description": description}
                            for name, description in DIALECT_FIELDS.items()
                        },
                    },
                }
            }
        },
    }
