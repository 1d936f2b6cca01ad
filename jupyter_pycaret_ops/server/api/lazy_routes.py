"""The routes, imported when they are first needed and in a thread: neither Jupyter's start nor its loop waits."""

from __future__ import annotations

import asyncio
import importlib
import re
from typing import TYPE_CHECKING, Any

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPMessageDelegate
from tornado.routing import PathMatches, Router, Rule, RuleRouter

from ...common.protocol import API_PREFIX
from ..threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine, ResponseStartLine
    from tornado.web import Application

#: of a body that no handler asked for
UNASKED_BODY_BYTES = 64 * 1024


class LazyRoutes(Router):
    """Finds the handler of a request under the prefix; the first one has the table of routes imported."""

    #: Jupyter looks here for methods open to strangers; the handlers behind are looked at by a test
    SUPPORTED_METHODS = ()

    def __init__(self, application: Application, base_url: str) -> None:
        self._application = application
        self._base = re.escape(base_url.rstrip("/"))
        self._importing: asyncio.Task[RuleRouter] | None = None
        self._router: RuleRouter | None = None

    def rule(self) -> Rule:
        """The one rule that Jupyter's application is given."""
        return Rule(PathMatches(f"{self._base}{API_PREFIX}(?:/.*)?"), self)

    async def ready(self) -> RuleRouter:
        """The routes, when they are imported."""
        if self._router is None:
            if self._importing is None:
                self._importing = asyncio.create_task(self._import(), name="import-routes")
            self._router = await asyncio.shield(self._importing)
        return self._router

    async def _import(self) -> RuleRouter:
        module = await in_thread(importlib.import_module, "jupyter_pycaret_ops.server.api.routes")
        return _Routes(
            self._application,
            [
                Rule(PathMatches(f"{self._base}{pattern}"), handler, arguments)
                for pattern, handler, arguments in module.handlers()
            ],
        )

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate | None:
        """The handler of this request, or one that waits for the import and then is it."""
        if self._router is None:
            return _Waiting(self, request)
        return self._router.find_handler(request)


class _Waiting(HTTPMessageDelegate):
    """Takes a request that came before the routes were imported; its body is not read meanwhile."""

    def __init__(self, routes: LazyRoutes, request: HTTPServerRequest) -> None:
        self._routes = routes
        self._request = request
        self._delegate: HTTPMessageDelegate | None = None

    async def _begin(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        router = await self._routes.ready()
        self._delegate = router.find_handler(self._request)
        assert self._delegate is not None
        begun = self._delegate.headers_received(start_line, headers)
        if begun is not None:
            await begun

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        return self._begin(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        assert self._delegate is not None
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        assert self._delegate is not None
        self._delegate.finish()

    def on_connection_close(self) -> None:
        if self._delegate is not None:
            self._delegate.on_connection_close()


class _Routes(RuleRouter):
    """Rules whose targets are handlers of an application."""

    def __init__(self, application: Application, rules: list[Rule]) -> None:
        self._application = application
        super().__init__(rules)

    def get_target_delegate(
        self, target: Any, request: HTTPServerRequest, **target_params: Any
    ) -> HTTPMessageDelegate | None:
        # Jupyter's limit is half a gigabyte, kept before anybody is asked for; handlers that judge
        # bodies themselves say so in `prepare`
        if isinstance(request.connection, HTTP1Connection):
            request.connection.set_max_body_size(UNASKED_BODY_BYTES)
        return self._application.get_handler_delegate(request, target, **target_params)
