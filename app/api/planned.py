"""Parts of the contract whose capability is not built yet: they say so, and invent nothing."""

from __future__ import annotations

from fastapi import APIRouter

from app.errors import responses
from tools.errors import NotAvailable

router = APIRouter(tags=["planned"], responses=responses(401, 501))

PLANNED: tuple[tuple[str, str], ...] = (
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("POST", "/v1/embeddings"),
    ("POST", "/api/v1/agent/execute"),
    ("GET", "/api/v1/approvals"),
    ("POST", "/api/v1/approvals/{approval_id}"),
    ("GET", "/api/v1/memory"),
    ("PATCH", "/api/v1/memory/{memory_id}"),
    ("DELETE", "/api/v1/memory/{memory_id}"),
    ("GET", "/api/v1/users/{user_id}/export"),
    ("GET", "/api/v1/models"),
    ("PUT", "/api/v1/models/switch"),
    ("GET", "/api/v1/models/stats"),
    ("DELETE", "/api/v1/cache"),
    ("GET", "/api/v1/cache/stats"),
    ("POST", "/api/v1/cognitive/reasoning"),
    ("GET", "/api/v1/cognitive/graph/{user_id}"),
    ("POST", "/api/v1/causal/discover"),
    ("POST", "/api/v1/causal/effect"),
    ("POST", "/api/v1/causal/counterfactual"),
    ("GET", "/api/v1/jobs/{job_id}"),
    ("POST", "/api/v1/feedback"),
    ("GET", "/api/v1/experiments"),
    ("POST", "/api/v1/experiments"),
    ("GET", "/api/v1/experiments/{experiment_id}"),
    ("GET", "/api/v1/keys"),
    ("POST", "/api/v1/keys"),
    ("DELETE", "/api/v1/keys/{key_id}"),
)


async def not_available() -> None:
    """Say that this part is not built yet."""
    raise NotAvailable("This part of Zhiyin is not built yet.")


ALIASED = "/api/v1/cognitive/"
"""Paths under this answer without the version, too."""

for method, path in PLANNED:
    if path.startswith(ALIASED):
        router.add_api_route(path.replace("/v1", ""), not_available, methods=[method], include_in_schema=False)
    router.add_api_route(path, not_available, methods=[method], operation_id=f"{method} {path}", status_code=501)
