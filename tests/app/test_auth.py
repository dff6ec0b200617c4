"""Which tokens are believed, and what a request without one is told."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from app.auth import LOCAL, MAX_LIFETIME_SECONDS, Authenticator, Principal
from app.errors import Forbidden, Unauthenticated
from tests.parts import SECRET, STRANGERS_ARE_REFUSED, bearer, claims, served

NOW = int(time.time())
HOUR = 3600
NO_TENANTS = (["a"], "", {"a": 1}, 7, True, None, "a\x00", "x" * 201)


def authenticator(audience: str | None = "zhiyin", issuer: str | None = "tests") -> Authenticator:
    return Authenticator(SECRET, audience, issuer)


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A good token but for `changes`; `...` leaves a claim out."""
    said = {name: value for name, value in {**claims(), **changes}.items() if value is not ...}
    header = {"alg": algorithm, "typ": "JWT"}
    encoded = f"{part(header)}.{part(said)}"
    return f"{encoded}.{mac(encoded, secret)}"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def mac(encoded: str, secret: str) -> str:
    signature = jwt.get_algorithm_by_name("HS256").sign(encoded.encode(), secret.encode())
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims())}."


def with_header(**header: Any) -> str:
    encoded = f"{part({'alg': 'HS256', 'typ': 'JWT', **header})}.{part(claims())}"
    return f"{encoded}.{mac(encoded, SECRET)}"


def code_of(token: str, authenticator: Authenticator) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        authenticator.principal([f"Bearer {token}"], [])
    assert token not in refusal.value.message
    return refusal.value.code


def test_a_good_token_names_user_tenant_and_scopes() -> None:
    token = jwt.encode(claims("acme", "bob", "admin impersonate"), SECRET)
    found = authenticator().principal([f"bearer {token}"], ["acme"])
    assert found == Principal("acme", "bob", frozenset({"admin", "impersonate"}))
    found.require("admin")


def test_a_scope_that_is_not_held_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        authenticator().principal([f"Bearer {signed()}"], []).require("admin")


@pytest.mark.parametrize(
    ("token", "code"),
    [
        *((unsigned(name), "auth_invalid") for name in ("none", "None", "nOnE", "NONE", "")),
        (signed(algorithm="RS256"), "auth_invalid"),
        (signed(algorithm="HS512"), "auth_invalid"),
        (signed(secret="another secret of thirty-two bytes!!"), "auth_invalid"),
        (signed()[:-2] + "AA", "auth_invalid"),
        (with_header(crit=["x-unknown"]), "auth_invalid"),
        (with_header(crit="exp"), "auth_invalid"),
        (with_header(kid=7), "auth_invalid"),
        (signed(exp=NOW - HOUR), "auth_expired"),
        (signed(exp=True), "auth_expired"),
        (signed(exp=NOW + MAX_LIFETIME_SECONDS + HOUR), "auth_lifetime"),
        (signed(exp=float("inf")), "auth_invalid"),
        (signed(exp=float("nan")), "auth_invalid"),
        (signed(exp="tomorrow"), "auth_invalid"),
        (signed(exp=[NOW]), "auth_invalid"),
        (signed(nbf=NOW + HOUR), "auth_invalid"),
        (signed(iat=NOW + HOUR), "auth_invalid"),
        (signed(iat="today"), "auth_invalid"),
        *((signed(**{name: ...}), "auth_invalid") for name in ("exp", "aud", "iss", "sub")),
        (signed(tenant_id=...), "auth_claims"),
        (signed(aud="another"), "auth_invalid"),
        (signed(aud=["another"]), "auth_invalid"),
        (signed(aud=[]), "auth_invalid"),
        (signed(aud=7), "auth_invalid"),
        (signed(aud=None), "auth_invalid"),
        (signed(iss="another"), "auth_invalid"),
        (signed(iss=["tests"]), "auth_invalid"),
        (signed(sub=""), "auth_claims"),
        (signed(sub=7), "auth_invalid"),
        (signed(sub="x" * 201), "auth_claims"),
        (signed(sub="ann\nbob"), "auth_claims"),
        *(
            (signed(tenant_id=value), "auth_claims")
            for value in (["a"], "", {"a": 1}, 7, True, None, "a\x00", "x" * 201)
        ),
        (signed(scope=["admin"]), "auth_claims"),
        ("nonsense", "auth_invalid"),
        ("a.b", "auth_invalid"),
        ("..", "auth_invalid"),
        ("\u77e5\u97f3.a.b", "auth_invalid"),
        (f"{part(['HS256'])}.{part(claims())}.", "auth_invalid"),
        (f"{part({'alg': 'HS256'})}.{part([])}.{mac(part({'alg': 'HS256'}) + '.' + part([]), SECRET)}", "auth_invalid"),
        (base64.urlsafe_b64encode(b"[" * 5_000).decode() + ".e30.", "auth_invalid"),
        (signed(padding="x" * 8_000), "auth_invalid"),
    ],
)
def test_a_token_that_does_not_hold_is_refused_with_its_reason(token: str, code: str) -> None:
    assert code_of(token, authenticator()) == code


@pytest.mark.parametrize("authorization", [[], [""], ["Bearer"], ["Bearer "], ["Basic YTpi"], [signed()]])
def test_something_else_than_a_bearer_token_is_no_token(authorization: list[str]) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        authenticator().principal(authorization, [])
    assert refusal.value.code == "auth_missing"


def test_two_tokens_are_one_too_many_even_if_both_are_good() -> None:
    with pytest.raises(Unauthenticated) as refusal:
        authenticator().principal([f"Bearer {signed()}"] * 2, [])
    assert refusal.value.code == "auth_invalid"


@pytest.mark.parametrize("tenants", [["b"], ["a", "b"], [""], ["A"]])
def test_a_tenant_header_that_disagrees_with_the_token_is_forbidden(tenants: list[str]) -> None:
    with pytest.raises(Forbidden):
        authenticator().principal([f"Bearer {signed()}"], tenants)


def test_a_token_needs_an_audience_even_where_none_is_configured() -> None:
    anybody = authenticator(audience=None, issuer=None)
    assert anybody.principal([f"Bearer {signed(aud='whatever', iss=...)}"], []).tenant_id == "a"
    assert code_of(signed(aud=...), anybody) == "auth_invalid"


def test_several_audiences_may_include_ours() -> None:
    assert authenticator().principal([f"Bearer {signed(aud=['other', 'zhiyin'])}"], []).user_id == "ann"


def test_a_clock_may_be_some_seconds_off() -> None:
    assert authenticator().principal([f"Bearer {signed(iat=NOW + 10, nbf=NOW + 10)}"], []).user_id == "ann"


def test_without_a_secret_everybody_is_the_local_user_whatever_they_send() -> None:
    local = Authenticator(None, None, None)
    for authorization in ([], ["Bearer sk-none"], ["Basic YTpi"], ["Bearer a", "Bearer b"]):
        assert local.principal(authorization, []) is LOCAL
    with pytest.raises(Forbidden):
        local.principal([], ["another"])


def test_a_principal_owns_what_is_its_own_and_a_deputy_what_is_anybodys() -> None:
    assert Principal("a", "ann").owns("ann")
    assert not Principal("a", "ann").owns("bob")
    assert Principal("a", "ann", frozenset({"impersonate"})).owns("bob")
    assert LOCAL.owns("bob")


async def test_every_route_of_the_api_wants_a_token_before_it_looks_at_the_body(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        schema = (await app.client.get("/openapi.json")).json()
        asked = 0
        for path, methods in schema["paths"].items():
            if not path.startswith(("/api/", "/v1/")):
                continue
            for method in methods:
                answer = await app.client.request(
                    method, path, content=b"\xff{", headers={"content-type": "text/plain"}
                )
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["code"] == "auth_missing"
                assert answer.json()["request_id"] == answer.headers["x-request-id"]
                asked += 1
        assert asked > 40
        assert (await app.client.get("/api/v1/nothing")).status_code == 401
        for path in ("/", "/docs", "/openapi.json", "/metrics", "/health", "/health/live", "/health/ready"):
            assert (await app.client.get(path)).status_code == 200


async def test_a_refused_token_has_no_effect_and_is_not_echoed(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        for token in (unsigned("none"), signed(exp=NOW - HOUR), signed(padding="x" * 9_000)):
            headers = {"Authorization": f"Bearer {token}"}
            answer = await app.client.post("/api/v1/chat/stream", json=body, headers=headers)
            assert answer.status_code == 401
            assert token not in answer.text
        twice = [("Authorization", f"Bearer {signed()}")] * 2
        answer = await app.client.post("/api/v1/chat/stream", json=body, headers=httpx.Headers(twice))
        assert (answer.status_code, answer.json()["code"]) == (401, "auth_invalid")
        other = {**bearer(), "X-Tenant-ID": "b"}
        answer = await app.client.post("/api/v1/chat/stream", json=body, headers=other)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        kept = (await app.client.get("/api/v1/conversations", headers=bearer())).json()
        assert kept["items"] == []


async def test_another_user_s_name_needs_a_scope(tmp_path: Path) -> None:
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED) as app:
        body = {"messages": [{"role": "user", "content": "Hello"}], "user_id": "bob"}
        answer = await app.client.post("/api/v1/chat/stream", json=body, headers=bearer())
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        own = await app.client.post("/api/v1/chat/stream", json={**body, "user_id": "ann"}, headers=bearer())
        assert own.status_code == 200
        deputy = await app.client.post("/api/v1/chat/stream", json=body, headers=bearer(scope="impersonate"))
        assert deputy.status_code == 200
        bobs = (await app.client.get("/api/v1/conversations", headers=bearer(user_id="bob"))).json()["items"]
        assert [item["user_id"] for item in bobs] == ["bob"]


async def test_a_browser_s_preflight_passes_without_a_token_and_may_read_refusals(tmp_path: Path) -> None:
    origin = "https://chat.example.org"
    async with served(tmp_path, corpus={}, **STRANGERS_ARE_REFUSED, ALLOWED_ORIGINS=origin) as app:
        asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = await app.client.options("/api/v1/chat/stream", headers=asking)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == origin
        refused = await app.client.post("/api/v1/chat/stream", json={}, headers={"Origin": origin})
        assert refused.status_code == 401
        assert refused.headers["access-control-allow-origin"] == origin
        stranger = await app.client.options(
            "/api/v1/chat/stream", headers={**asking, "Origin": "https://evil.example.org"}
        )
        assert "access-control-allow-origin" not in stranger.headers
