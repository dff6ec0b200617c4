"""For those who run the app: health and metrics."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from app.api.chat import Parts
from app.observability.health import Condition, PartHealth, overall

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """What an answer at all means."""

    status: Literal["ok"] = "ok"


class HealthReport(BaseModel):
    """The app and its parts; `down` means that no turn can be served."""

    status: Condition
    parts: dict[str, PartHealth]


@router.get("/health/live")
async def live() -> Alive:
    """The process runs and its event loop turns."""
    return Alive()


@router.get("/health/startup")
async def startup() -> Alive:
    """All parts have been opened; nobody listens before that."""
    return Alive()


@router.get("/health/ready", responses={503: {"description": "No turn can be served.", "model": HealthReport}})
async def ready(app: Parts, response: Response) -> HealthReport:
    """Each part's state; 503 only when no turn can be served."""
    parts = await app.health()
    report = HealthReport(status=overall(parts), parts=parts)
    response.status_code = 503 if report.status == "down" else 200
    return report


@router.get("/health", responses={503: {"description": "No turn can be served.", "model": HealthReport}})
async def health(app: Parts, response: Response) -> HealthReport:
    """The same as `/health/ready`."""
    return await ready(app, response)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Counts and times.", "content": {CONTENT_TYPE_LATEST: {}}}},
)
async def metrics(app: Parts) -> Response:
    """All metrics in Prometheus' text format."""
    return Response(app.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
