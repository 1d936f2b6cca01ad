"""A Tornado echo handler with token authentication, the reference of predict. A server extension."""

from __future__ import annotations

import hmac
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, RequestHandler


class EchoHandler(RequestHandler):
    """Checks the token and returns the body of the request."""

    def prepare(self) -> None:
        provider = self.settings["identity_provider"]
        token = provider.get_token(self)
        if not token or not hmac.compare_digest(token, provider.token):
            raise HTTPError(401)

    def check_xsrf_cookie(self) -> None:
        pass

    @allow_unauthenticated
    def post(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(self.request.body)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "bench.echo"}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    path = url_path_join(serverapp.web_app.settings["base_url"], "/bench/echo")
    serverapp.web_app.add_handlers(".*$", [(path, EchoHandler)])
