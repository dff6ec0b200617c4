"""Who is asking: a bearer token's principal, or the one local principal of a loopback server.

Tokens are JWTs signed with `JWT_SECRET` (HS256). Claims are checked for presence and type before they
are believed: a library accepts a list as a tenant, we do not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from app.errors import Forbidden, Unauthenticated

ALGORITHMS = ["HS256"]
MAX_TOKEN_CHARS = 8_000
MAX_LIFETIME_SECONDS = 30 * 24 * 3600
CLOCK_SKEW_SECONDS = 30
ALL_SCOPES = frozenset({"admin", "impersonate"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may ask: `user_id` is the token's `sub`; `is_local` marks the loopback principal."""

    tenant_id: str
    user_id: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    is_local: bool = False

    def owns(self, user_id: str) -> bool:
        """Whether what is this user's, of the same tenant, is open to the principal too."""
        return self.is_local or user_id == self.user_id or "impersonate" in self.scopes

    def require(self, scope: str) -> None:
        """Raise Forbidden unless the principal has `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope '{scope}'.")


LOCAL = Principal("local", "local", ALL_SCOPES, is_local=True)


class Authenticator:
    """Turns the headers of a request into a principal."""

    def __init__(self, secret: str | None, audience: str | None, issuer: str | None) -> None:
        """`secret` None makes everybody the local principal; settings allow that on loopback only."""
        self._secret = secret
        self._audience = audience
        self._issuer = issuer

    def principal(self, authorization: Sequence[str], tenants: Sequence[str]) -> Principal:
        """The principal of a request's `Authorization` and `X-Tenant-ID` headers.

        Raises:
            Unauthenticated: no token, or one that does not hold; `code` says which (`auth_*`).
            Forbidden: the header names another tenant than the token.
        """
        found = LOCAL if self._secret is None else self._decode(authorization, self._secret)
        if any(tenant != found.tenant_id for tenant in tenants):
            raise Forbidden("X-Tenant-ID is not the caller's tenant.")
        return found

    def _decode(self, authorization: Sequence[str], secret: str) -> Principal:
        if len(authorization) > 1:
            raise Unauthenticated("There is more than one Authorization header.", code="auth_invalid")
        scheme, _, token = "".join(authorization).partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("A bearer token is needed.", code="auth_missing")
        if len(token) > MAX_TOKEN_CHARS:
            raise Unauthenticated("The token is too long.", code="auth_invalid")
        import jwt  # loads six megabytes of cryptography that a server without tokens does without

        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={
                    "require": ["exp", "aud", "sub"],
                    "verify_aud": self._audience is not None,
                    "verify_iss": self._issuer is not None,
                },
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired.", code="auth_expired") from error
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise Unauthenticated("The token does not hold.", code="auth_invalid") from error
        return _principal_of(claims)


def _principal_of(claims: dict[str, Any]) -> Principal:
    subject, tenant, expires = claims.get("sub"), claims.get("tenant_id"), claims.get("exp")
    if not _is_id(subject) or not _is_id(tenant):
        raise Unauthenticated("The token names no user or tenant.", code="auth_claims")
    if not isinstance(expires, int | float) or expires > time.time() + MAX_LIFETIME_SECONDS:
        raise Unauthenticated("The token lives too long.", code="auth_lifetime")
    scopes = claims.get("scope", "")
    if not isinstance(scopes, str):
        raise Unauthenticated("The token's scope is not a string.", code="auth_claims")
    return Principal(str(tenant), str(subject), frozenset(scopes.split()))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


async def authenticated(connection: HTTPConnection) -> Principal:
    """FastAPI dependency: the principal that `app.limits` found before the body was read."""
    principal: Principal = connection.scope["principal"]
    return principal
