"""The base of all handlers: credential, body, the one table of errors, paging."""

from __future__ import annotations

import logging
import time
from http.client import responses
from typing import Any, cast

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError

from ...common import errors
from ...common.errors import (
    Forbidden,
    Invalid,
    NotFound,
    OpsError,
    RetryLater,
    Unauthenticated,
    UnsupportedMedia,
)
from ..settings import EXTENSION
from ..store import runs
from ..store.access import Caller, KeyGrant
from ..store.ids import new_id
from ..store.keys import KEY_PREFIX, RUN_TOKEN_PREFIX, digest
from ..store.session import LockBudget, lock_budget
from ..threads import IN_THREAD_BYTES
from .context import Call, Extension, Listing, Route, Services
from .identity import jupyter_user, names_people
from .json_body import decode_body, field_error
from .request_body import GZIP, BoundedBody, content_encoding

log = logging.getLogger("jupyter_pycaret_ops")

RESOURCE = "pycaret-ops"
#: of answers, for scripts of other sites' pages
EXPOSED_HEADERS = (
    "X-Next-Cursor, X-Request-Id, Retry-After, ETag, Content-Range, Content-Disposition"
)
#: characters of a message, and so many of them for its end, which says the remedy
LONGEST_SAID = 4_000
LAST_SAID = 1_000

#: the one table of errors; looked up along the class's bases
STATUS: dict[type[OpsError], int] = {
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.RowsInvalid: 422,
    errors.RateLimited: 429,
    errors.RetryLater: 503,
}
#: `reason` of errors that Tornado or Jupyter raised
REASONS = {
    400: "validation",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media",
}


def status_for(error: OpsError) -> int:
    """The status code of an error of ours."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


class OpsHandler(JupyterHandler):
    """Resolves the caller before Jupyter would, and answers every error as JSON.

    Jupyter's own `prepare` is not called: callers with a run token or an API key are not the identity
    provider's, and public routes ask for nobody. For Jupyter's users the same rules hold as there: host,
    identity, XSRF and origin for cookies, the authorizer.
    """

    def initialize(self, routes: dict[str, Route] | None = None, **_: Any) -> None:
        """Take the routes of this path, by method."""
        self._routes = routes or {}
        self.caller: Caller | None = None

    # ---------------------------------------------------------------- the request

    @property
    def extension(self) -> Extension:
        """The extension that this handler belongs to."""
        return cast("Extension", self.settings[EXTENSION])

    @property
    def request_id(self) -> str:
        """This request's id, as answered in `X-Request-Id`."""
        found: str | None = getattr(self, "_request_id", None)
        if found is None:
            found = self._request_id = new_id()
        return found

    def set_default_headers(self) -> None:
        """Jupyter's headers, the request's id, and nothing to be cached."""
        super().set_default_headers()
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")

    @property
    def content_security_policy(self) -> str:
        """Answers of an API are never pages."""
        return super().content_security_policy + (
            "; default-src 'none'; sandbox; form-action 'none'"
        )

    async def prepare(self) -> None:  # type: ignore[override]
        """Find the route and the caller; everything that can be refused without the body is refused."""
        self.began = time.perf_counter()
        route = self.route()
        if self.request.method == "OPTIONS":
            return
        if route is None:
            raise HTTPError(405)
        if route.access == "public":
            self.current_user = self._jupyter_current_user = None
            return
        self.services = await self.extension.ensure_started()
        lock_budget.set(LockBudget())
        if any("\0" in value for value in self.path_kwargs.values()):
            raise NotFound("There is no such row.")  # PostgreSQL cannot even be asked for it
        await self.identify(route)
        self.refuse_encoding()
        if route.access != "run":
            self.services.pool.request_spares()

    def refuse_encoding(self) -> None:
        """Raise UnsupportedMedia for a body in an encoding that is not read; gzip is, where it is JSON."""
        encoding = content_encoding(self.request.headers)
        if not encoding or self.request.method in ("GET", "HEAD", "DELETE"):
            return
        known = isinstance(self, BoundedBody)
        if not (known and encoding in GZIP):
            raise UnsupportedMedia(
                f"Bodies with the Content-Encoding “{encoding[:64]}” are not read here. Send it "
                + ("plain, or with gzip." if known else "plain.")
            )

    def require_json(self, *others: str) -> None:
        """Raise UnsupportedMedia for a body that says it is something else than JSON, or than `others`."""
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in ("", "application/json", *others):
            raise UnsupportedMedia("Send JSON, with the header Content-Type: application/json.")

    def route(self) -> Route | None:
        """The line of the table that this request is for; HEAD is answered as GET, without the body."""
        method = self.request.method or ""
        return self._routes.get("GET" if method == "HEAD" else method)

    @allow_unauthenticated
    async def head(self, **params: str) -> None:
        """As GET; Tornado leaves the body away."""
        answered = self.get(**params)
        if answered is not None:
            await answered

    async def identify(self, route: Route) -> None:
        """Set the caller, or refuse.

        Raises
        ------
        Unauthenticated, Forbidden
        """
        self.require_host()
        secret = self.bearer()
        await self.refuse_run_token(secret)
        if secret is not None and secret.startswith(KEY_PREFIX):
            caller, grant = await self.key_caller(secret)
            if route.scope is None:
                raise Forbidden("API keys do not open this.")
            if not _reaches(grant.scopes, route.scope):
                raise Forbidden(f"This API key lacks the scope “{route.scope}”.")
            self.caller = caller
            return
        self.caller = await self.jupyter_caller(route.action)

    def require_host(self) -> None:
        """Raise Forbidden for a `Host` that Jupyter does not serve: a name that leads here by a trick."""
        if not self.check_host():
            raise Forbidden("This server does not answer to that host name.")

    async def refuse_run_token(self, secret: str | None) -> None:
        """Raise Forbidden for a run token, Unauthenticated for one that nobody knows."""
        if secret is None or not secret.startswith(RUN_TOKEN_PREFIX):
            return
        self.current_user = self._jupyter_current_user = None
        if await self.services.store.read(runs.is_token, digest(secret)):
            raise Forbidden("A run token opens only the agent's routes of its run.")
        raise Unauthenticated("The run token is unknown, or its attempt is over.")

    async def key_caller(self, secret: str) -> tuple[Caller, KeyGrant]:
        """The caller that an API key speaks for, and what it opens.

        Raises
        ------
        Unauthenticated
        """
        self.current_user = self._jupyter_current_user = None
        caller = await self.services.identities.key(secret)
        if caller is None or caller.key is None:
            raise Unauthenticated("The API key is unknown, revoked or expired.")
        # as for Jupyter's token: no browser sends a key on its own, so another site's page may read
        self._token_authenticated = True
        self.set_cors_headers()
        self._count_activity()
        return caller, caller.key

    async def jupyter_caller(self, action: str) -> Caller:
        """The Jupyter user that calls, allowed by the authorizer to do `action`.

        Raises
        ------
        Unauthenticated, Forbidden
        """
        user = await jupyter_user(self, self.services.identities.owner)
        if user is None:
            raise Unauthenticated(
                "Log in to Jupyter, or send `Authorization: token <token>` or "
                "`Authorization: Bearer <API key>`."
            )
        self.current_user = self._jupyter_current_user = user
        self.set_cors_headers()
        self.check_cookie_caller()
        await self.ask_authorizer(user, action)
        self._count_activity()
        return await self.services.identities.person(
            user, named=names_people(self.identity_provider)
        )

    def check_cookie_caller(self) -> None:
        """Another site must not act, or read, with a person's cookie; tokens are not sent by browsers.

        Raises
        ------
        Forbidden
        """
        if self.token_authenticated:
            return
        try:
            is_own = self.check_origin()
        except ValueError:  # an origin that is no URL
            is_own = False
        if not is_own:
            raise Forbidden("Requests from another site are not answered.")
        if self.request.method not in {"GET", "HEAD", "OPTIONS"}:
            try:
                self.check_xsrf_cookie()
            except HTTPError as error:
                raise Forbidden(
                    f"The request lacks a valid XSRF token ({error.log_message})."
                ) from None

    async def ask_authorizer(self, user: User, action: str) -> None:
        """Raise Forbidden unless Jupyter's authorizer allows the action."""
        allowed = await ensure_async(self.authorizer.is_authorized(self, user, action, RESOURCE))
        if not allowed:
            raise Forbidden(f"Jupyter's authorizer does not allow you to {action} {RESOURCE}.")

    def bearer(self) -> str | None:
        """The bearer credential of the request."""
        scheme, _, secret = self.request.headers.get("Authorization", "").partition(" ")
        return secret.strip() if scheme.lower() == "bearer" and secret else None

    def _count_activity(self) -> None:
        """Jupyter's idle culling counts people's requests, not the panel's polls."""
        if "no_track_activity" not in self.request.query_arguments:
            from jupyter_server._tz import utcnow

            self.settings["api_last_activity"] = utcnow()

    @allow_unauthenticated
    def options(self, *_: Any, **__: Any) -> None:
        """CORS preflight, as Jupyter's own API answers it."""
        self.set_cors_headers()
        APIHandler.options(cast("APIHandler", self))
        self.set_header("Access-Control-Allow-Methods", ", ".join([*self._methods(), "OPTIONS"]))
        self.set_status(204)

    def _methods(self) -> list[str]:
        """The methods of this path; HEAD wherever there is GET."""
        return [*self._routes, *(["HEAD"] if "GET" in self._routes else [])]

    def set_cors_headers(self) -> None:
        """Say which other sites' pages may read the answer, as Jupyter does, and our own headers in it."""
        if not hasattr(self, "_jupyter_current_user"):  # an error before the caller was looked for
            self.current_user = self._jupyter_current_user = None
        super().set_cors_headers()
        if self._headers.get("Access-Control-Allow-Origin"):
            self.set_header("Access-Control-Expose-Headers", EXPOSED_HEADERS)

    # ---------------------------------------------------------------- the answer

    async def call_endpoint(self, route: Route, params: dict[str, str], body: Any = None) -> None:
        """Answer with what the endpoint of a route returns."""
        assert route.endpoint is not None
        call = Call(
            services=getattr(self, "services", cast("Services", None)),
            caller=cast("Caller", self.caller),
            params=params,
            query=self.query_of(route.query),
            body=body,
            request_id=self.request_id,
        )
        value = await route.endpoint(call)
        self.answer(value, call.status or route.status)

    def query_of(self, kind: Any) -> Any:
        """Return the query as a struct of that kind.

        Raises
        ------
        Invalid
            For a parameter that is unknown or has a wrong form.
        """
        values = {name: self.get_query_argument(name) for name in self.request.query_arguments}
        try:
            return msgspec.convert(values, kind, strict=False)
        except msgspec.ValidationError as error:
            fault = field_error(error)
            where = ".".join(str(step) for step in fault["loc"])
            raise Invalid(f"Query parameter {where}: {fault['msg']}", errors=[fault]) from None

    def answer(self, value: Any, status: int = 200) -> None:
        """Write a JSON answer; not-a-number becomes null."""
        self.set_status(status)
        if isinstance(value, Listing):
            if value.next_cursor is not None:
                self.set_header("X-Next-Cursor", value.next_cursor)
            value = value.rows
        if status != 204:
            self.write(msgspec.json.encode(value))

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, OpsError):
            status = status_for(e)
            if status == 500:
                log.error("unmapped error", exc_info=e)
            if not self._finished:
                self.send_error(status, exc_info=(type(e), e, e.__traceback__))
            return
        super()._handle_request_exception(e)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The body of an error: message, reason, and where in the body it lies."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        body: dict[str, Any]
        if isinstance(error, OpsError) and status_code != 500:
            body = {"message": cut(error.message), "reason": error.reason}
            if error.errors:
                body["errors"] = [
                    {
                        "loc": [
                            cut(step) if isinstance(step, str) else step for step in fault["loc"]
                        ],
                        "msg": cut(fault["msg"]),
                    }
                    for fault in error.errors
                ]
            if isinstance(error, RetryLater):
                self.set_header("Retry-After", str(error.retry_after_s))
        elif isinstance(error, HTTPError):
            word = responses.get(status_code, "error").lower()
            body = {
                "message": f"{self.request.method} is not possible here."
                if status_code == 405
                else f"The request was refused: {word}.",
                "reason": REASONS.get(status_code, "error"),
            }
            if status_code == 405:
                self.set_header("Allow", ", ".join(self._methods()))
        else:
            body = {
                "message": "Something went wrong inside the server; its log says more under this "
                f"request's id, {self.request_id}.",
                "reason": "internal",
            }
            log.error("request %s failed", self.request_id)
        self.set_cors_headers()
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(self.error_body(body)))

    def error_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """An error's body as it is sent; protocols with an own place for the message add it here."""
        return body


def cut(text: str) -> str:
    """Return a text of an answer without its middle where it repeats a long value that was sent."""
    if len(text) <= LONGEST_SAID:
        return text
    return f"{text[: LONGEST_SAID - LAST_SAID]}…{text[-LAST_SAID:]}"


def _reaches(scopes: frozenset[str], needed: str) -> bool:
    return needed in scopes or (needed in ("read", "predict") and "write" in scopes)


class JsonBodyHandler(BoundedBody, OpsHandler):
    """Takes a JSON body or none; no byte of it is read before the caller is known."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Find the caller, then refuse a body that is too large for them."""
        self.allow_streaming()
        await super().prepare()
        self.accept_body()

    async def sent_body(self) -> bytes:
        """Return the body; a compressed one, of which a little may become a lot, is unpacked in a thread.

        Raises
        ------
        OpsError
            As `whole_body`; Unavailable when too many wait for the thread.
        """
        if self.is_compressed():
            return await self.services.decoding.run(self.whole_body)
        return self.whole_body()


class RouteHandler(JsonBodyHandler):
    """Serves every route that is a plain function of a call."""

    async def _serve(self, **params: str) -> None:
        route = self.route()
        assert route is not None
        await self.call_endpoint(route, params, await self._body(route))

    get = post = patch = delete = put = allow_unauthenticated(_serve)

    async def _body(self, route: Route) -> Any:
        if route.body is None:
            return None
        body = await self.sent_body()
        if not body and route.body_optional:
            return decode_body(b"{}", route.body)
        self.require_json()
        if len(body) <= IN_THREAD_BYTES:
            return decode_body(body, route.body)
        return await self.services.decoding.run(lambda: decode_body(body, route.body))


class UnknownPathHandler(BoundedBody, OpsHandler):
    """What is under the prefix and is no route: a JSON 404, never a login page."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse."""
        self.allow_streaming()
        self.current_user = self._jupyter_current_user = None
        raise NotFound("There is no such path in this API. GET openapi.json lists all of them.")

    @allow_unauthenticated
    def get(self) -> None:
        """Never reached."""
