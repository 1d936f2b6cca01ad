"""Replies to the server's requests, independent of what IPython prints, formats or displays."""

from __future__ import annotations

from typing import Any

#: the `source` of our payload in an `execute_reply`; `kernels/worker.py` looks for it
SOURCE = "jupyter_pycaret_ops"


def answer(value: Any) -> None:
    """Return a JSON value to the server in the reply to the request being executed.

    It is sent as a payload of Jupyter's `execute_reply`
    (https://jupyter-client.readthedocs.io/en/stable/messaging.html#payloads-deprecated), which no display
    formatter changes: `rich.pretty.install()` would change the text of a user expression.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()  # type: ignore[no-untyped-call]
    shell.payload_manager.write_payload({"source": SOURCE, "value": value})
