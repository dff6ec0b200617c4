"""What is known of a user: mood, interests, recent topics; and the user's say on whether moods are kept."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.api.chat import Caller, Parts
from app.api.cognition import DominantEmotion, ExpectedOut, OwnedUser, dominant, expected, trajectory_within
from app.auth import Principal
from app.errors import responses
from app.wiring import App
from tools.emotion.trajectory import Trend
from tools.memory.profile import Interest, Kind
from tools.stores.clock import now

router = APIRouter(tags=["profile"])
routes = APIRouter(prefix="/profile")

MOOD_DAYS = 30


class MoodOut(BaseModel):
    """The user's mood over the last 30 days; figures are null where the `readings` are too few."""

    recording: bool = Field(description="False where the user opted out: then nothing is kept.")
    days: int
    readings: int
    baseline_valence: float | None
    valence_std: float | None
    baseline_arousal: float | None
    volatility: float | None
    trend: Trend | None
    dominant_emotions: list[DominantEmotion]
    expected_next: ExpectedOut | None


class InterestOut(BaseModel):
    """Something that the user's turns were about: in how many, and when last. `type` is an entity's, else ""."""

    name: str
    kind: Kind
    type: str
    count: int
    last_seen: str


class ProfileOut(BaseModel):
    """A user as of `built_at`, by the newest `turns` turns."""

    user_id: str
    built_at: str
    turns: int
    mood: MoodOut
    interests: list[InterestOut] = Field(description="Those that lasted come first.")
    recent_topics: list[InterestOut] = Field(description="The newest come first.")


class MoodChoice(BaseModel):
    """Whether the user's moods are kept. False erases those that are."""

    model_config = ConfigDict(strict=True, extra="forbid")

    recording: bool


class MoodChosen(BaseModel):
    """The user's choice, and how many readings it erased."""

    user_id: str
    recording: bool
    erased: int


@routes.get("", responses=responses(401, 403, 503))
async def read_own_profile(caller: Caller, app: Parts) -> ProfileOut:
    """The caller's own profile."""
    return await _profile(app, caller, caller.user_id)


@routes.get("/{user_id}", responses=responses(401, 403, 404, 503))
async def read_profile(user_id: OwnedUser, caller: Caller, app: Parts) -> ProfileOut:
    """A user's mood, interests and recent topics, by what is kept at this moment."""
    return await _profile(app, caller, user_id)


@routes.post("/{user_id}", responses=responses(401, 403, 404, 503))
async def rebuild_profile(user_id: OwnedUser, caller: Caller, app: Parts) -> ProfileOut:
    """Build the profile anew. It is never kept, so reading it gives the same."""
    return await _profile(app, caller, user_id)


@routes.put("/{user_id}/mood", responses=responses(400, 401, 403, 404, 413, 415, 422, 503))
async def choose_recording(user_id: OwnedUser, body: MoodChoice, caller: Caller, app: Parts) -> MoodChosen:
    """Opt out of the recording of moods (`false`), which erases all there are, or in again (`true`)."""
    if body.recording:
        await app.moods.opt_in(caller.tenant_id, user_id)
        return MoodChosen(user_id=user_id, recording=True, erased=0)
    return MoodChosen(user_id=user_id, recording=False, erased=await app.moods.opt_out(caller.tenant_id, user_id))


@routes.delete("/{user_id}/mood", status_code=204, responses=responses(401, 403, 404, 503))
async def forget_moods(user_id: OwnedUser, caller: Caller, app: Parts) -> None:
    """Erase all readings of the user's mood; those to come are kept as before."""
    await app.moods.forget(caller.tenant_id, user_id)


async def _profile(app: App, caller: Principal, user_id: str) -> ProfileOut:
    built_at = now()
    found = await app.profiles.build(caller.tenant_id, user_id)
    return ProfileOut(
        user_id=user_id,
        built_at=built_at,
        turns=found.turns,
        mood=await _mood(app, caller, user_id),
        interests=_interests(found.interests),
        recent_topics=_interests(found.recent_topics),
    )


async def _mood(app: App, caller: Principal, user_id: str) -> MoodOut:
    points, found = await trajectory_within(app, caller, user_id, MOOD_DAYS)
    return MoodOut(
        recording=not await app.moods.opted_out(caller.tenant_id, user_id),
        days=MOOD_DAYS,
        readings=len(points),
        baseline_valence=found.baseline_valence,
        valence_std=found.valence_std,
        baseline_arousal=found.baseline_arousal,
        volatility=found.volatility,
        trend=found.trend,
        dominant_emotions=dominant(found),
        expected_next=expected(found),
    )


def _interests(found: Sequence[Interest]) -> list[InterestOut]:
    return [
        InterestOut(name=one.name, kind=one.kind, type=one.type, count=one.count, last_seen=one.last_seen)
        for one in found
    ]


router.include_router(routes, prefix="/api/v1")
router.include_router(routes, prefix="/api", include_in_schema=False)
