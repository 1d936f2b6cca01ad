"""Parameters of plans and set-up: JSON Schema, default and validation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.pycaret3_setup import why_not

from .interfaces import PlanFailed
from .json_values import plain

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "string": (str,),
    "array": (list, tuple),
    "object": (dict,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter with the JSON Schema of its value and its default; `group` : what it is about, for forms."""

    name: str
    schema: JSON
    default: Any
    description: str
    group: str = ""

    def to_json(self) -> JSON:
        """Return the parameter as `/describe` shows it."""
        return {
            "name": self.name,
            "schema": self.schema,
            "default": plain(self.default),
            "description": self.description,
            "group": self.group,
        }


def grouped(group: str, params: Iterable[Param]) -> list[Param]:
    """Return parameters with the name of what they are about."""
    return [replace(param, group=group) for param in params]


def read(given: JSON, params: Iterable[Param], what: str) -> JSON:
    """Return the defaults of `params`, overridden by `given`.

    `what` names the kind of parameter in messages ("set-up parameter"). Raises `PlanFailed` for an
    unknown name or an invalid value.
    """
    known = {param.name: param for param in params}
    for name, value in given.items():
        if name not in known:
            raise PlanFailed(
                "user",
                f"There is no {what} “{name}”; there are: {', '.join(known) or 'none'}."
                + (why_not(name) if what == "set-up parameter" else ""),
            )
        error = validation_error(value, known[name].schema)
        if error:
            raise PlanFailed("user", f"The {what} “{name}” {error}.")
    return {name: given.get(name, param.default) for name, param in known.items()}


def validation_error(value: Any, schema: JSON) -> str | None:
    """Return why `value` does not match `schema`, or None. Supports the keywords that we use."""
    if "anyOf" in schema:
        errors = [validation_error(value, option) for option in schema["anyOf"]]
        return None if None in errors else errors[0]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_has_type(value, kind) for kind in kinds):
        return f"must be {' or '.join(kinds)}, not {value!r}"
    if "enum" in schema and value not in schema["enum"]:
        return f"must be one of {', '.join(map(str, schema['enum']))}, not {value!r}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number_error(value, schema)
    if isinstance(value, (list, tuple)):
        if len(value) < schema.get("minItems", 0):
            return f"needs at least {schema['minItems']} entries"
        for item in value:
            error = validation_error(item, schema.get("items", {}))
            if error:
                return f"has an entry that {error}"
    if isinstance(value, dict) and isinstance(schema.get("additionalProperties"), dict):
        for name, item in value.items():
            error = validation_error(item, schema["additionalProperties"])
            if error:
                return f"has an entry “{name}” that {error}"
    return None


def _number_error(value: float, schema: JSON) -> str | None:
    if "minimum" in schema and value < schema["minimum"]:
        return f"must be at least {schema['minimum']}, not {value}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"must be at most {schema['maximum']}, not {value}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        return f"must be more than {schema['exclusiveMinimum']}, not {value}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        return f"must be less than {schema['exclusiveMaximum']}, not {value}"
    return None


def _has_type(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES[kind])
