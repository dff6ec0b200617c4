"""How messages feel: one text or many, and a user's mood over days."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from app.api.chat import ID, Caller, Parts
from app.auth import Principal
from app.errors import responses
from app.wiring import App
from tools.emotion.next_reading import Expected
from tools.emotion.protocol import Emotion, Sentiment
from tools.emotion.trajectory import Trajectory, Trend, trajectory_of
from tools.emotion.trend import Slope
from tools.errors import NotFound
from tools.stores.clock import now
from tools.stores.moods_protocol import Mood

router = APIRouter(tags=["cognition"])
routes = APIRouter(prefix="/cognitive/emotion")

MOST_TEXTS = 256
MOST_READINGS = 2_000
"""The newest readings of a window that are looked at and shown."""


class OneText(BaseModel):
    """A message to read. With `user_id` the reading joins that user's trajectory."""

    model_config = ConfigDict(strict=True, extra="forbid")

    text: str
    user_id: ID | None = None


class ManyTexts(BaseModel):
    """Messages to read that have nothing to do with one another; none of the readings is kept."""

    model_config = ConfigDict(strict=True, extra="forbid")

    texts: list[str] = Field(min_length=1, max_length=MOST_TEXTS)


def _kind_of(body: Any) -> str:
    return "many" if isinstance(body, Mapping) and "texts" in body else "one"


EmotionBody = Annotated[
    Annotated[OneText, Tag("one")] | Annotated[ManyTexts, Tag("many")], Discriminator(_kind_of), Body()
]


class EmotionOut(BaseModel):
    """How a message feels. Scores are probabilities, 0-1; several of `all_emotions` may hold at once."""

    primary_emotion: str
    primary_score: float
    all_emotions: Mapping[str, float]
    sentiment: Sentiment
    sentiment_scores: Mapping[str, float]
    ekman: str
    ekman_scores: Mapping[str, float]
    plutchik: str
    plutchik_scores: Mapping[str, float]
    intensity: float
    valence: float = Field(description="Unpleasant to pleasant, -1 to 1.")
    arousal: float = Field(description="Calm to stirred, 0 to 1.")
    is_sarcastic: bool
    sarcasm_confidence: float
    mixed_emotions: list[str]
    confidence: float
    decided_by: str


class EmotionList(BaseModel):
    """Readings in the order of the texts."""

    results: list[EmotionOut]


class PointOut(BaseModel):
    """One reading; `turn_id` is null for a text that was no turn."""

    at: str
    turn_id: str | None
    primary_emotion: str
    valence: float
    arousal: float
    intensity: float
    confidence: float
    decided_by: str


class ChangePointOut(BaseModel):
    """From the reading at `at` on, median valence is `after`; until then it was `before`."""

    at: str
    turn_id: str | None
    before: float
    after: float


class DominantEmotion(BaseModel):
    """An emotion's share of all readings, weighted by confidence, and how many those are."""

    emotion: str
    share: float
    count: int


class ExpectedOut(BaseModel):
    """The next reading: what is expected of it, and the interval that holds it in 80 of 100 cases."""

    valence: float
    valence_interval: tuple[float, float]
    arousal: float
    arousal_interval: tuple[float, float]


class TrajectoryOut(BaseModel):
    """A user's mood over the last `days`. Figures are null where the readings are too few, as `insufficient` names."""

    user_id: str
    days: int
    recording: bool = Field(description="False where the user opted out: then nothing is kept.")
    trajectory: list[PointOut]
    baseline_valence: float | None
    valence_std: float | None
    baseline_arousal: float | None
    volatility: float | None
    trend: Trend | None
    slope: float | None = Field(description="Change of valence per day.")
    slope_interval: tuple[float, float] | None = Field(description="Holds the true slope in 95 of 100 cases.")
    trend_line: tuple[float, float] | None = Field(description="Valence on the trend at the first and last reading.")
    change_points: list[ChangePointOut]
    dominant_emotions: list[DominantEmotion]
    expected_next: ExpectedOut | None
    insufficient: list[str]


@routes.post("", responses=responses(400, 401, 403, 413, 415, 422, 503))
async def read_emotion(body: EmotionBody, caller: Caller, app: Parts) -> EmotionOut | EmotionList:
    """How a text feels (`text`), or each of up to 256 (`texts`)."""
    if isinstance(body, ManyTexts):
        return EmotionList(results=[_emotion(found) for found in await app.services.emotions.read_many(body.texts)])
    if body.user_id is not None and not caller.owns(body.user_id):
        caller.require("impersonate")
    (found,) = await app.services.emotions.read_many([body.text])
    if body.user_id is not None:
        await app.moods.record(caller.tenant_id, body.user_id, mood_of(found))
    return _emotion(found)


async def owned_user(user_id: str, caller: Caller) -> str:
    """The user that a path names, if it is the caller or one it may act for. Raises NotFound."""
    if not caller.owns(user_id):
        raise NotFound("There is no such user.")
    return user_id


OwnedUser = Annotated[str, Depends(owned_user)]
Days = Annotated[int, Query(ge=1, le=365, description="How far back to look.")]


@routes.get("/{user_id}/trajectory", responses=responses(401, 403, 404, 422, 503))
async def read_trajectory(user_id: OwnedUser, caller: Caller, app: Parts, days: Days = 30) -> TrajectoryOut:
    """A user's mood over the last days: the readings, where they usually are, where they go and when they changed."""
    points, found = await trajectory_within(app, caller, user_id, days)
    recording = not await app.moods.opted_out(caller.tenant_id, user_id)
    return _trajectory(user_id, days, recording, points, found)


async def trajectory_within(app: App, caller: Principal, user_id: str, days: int) -> tuple[list[Mood], Trajectory]:
    """A user's readings of the last days, the newest 2,000 of them, and what they say."""
    since, until = now(less=timedelta(days=days)), "9999"
    points = list(await app.moods.between(caller.tenant_id, user_id, since, until, MOST_READINGS))
    return points, await asyncio.to_thread(trajectory_of, points)


def mood_of(emotion: Emotion) -> Mood:
    """What is kept of a reading."""
    return Mood(
        emotion.primary_emotion,
        emotion.valence,
        emotion.arousal,
        emotion.intensity,
        emotion.confidence,
        emotion.decided_by,
    )


def dominant(found: Trajectory) -> list[DominantEmotion]:
    """The emotions by their share, the greatest first."""
    return [DominantEmotion(emotion=e.emotion, share=e.share, count=e.count) for e in found.dominant_emotions]


def expected(found: Trajectory) -> ExpectedOut | None:
    """What the next reading is expected to be."""
    if found.expected_next is None:
        return None
    valence, arousal = found.expected_next.valence, found.expected_next.arousal
    return ExpectedOut(
        valence=valence.value,
        valence_interval=_interval(valence),
        arousal=arousal.value,
        arousal_interval=_interval(arousal),
    )


def _interval(of: Expected | Slope) -> tuple[float, float]:
    return of.low, of.high


def _emotion(found: Emotion) -> EmotionOut:
    return EmotionOut(
        primary_emotion=found.primary_emotion,
        primary_score=found.primary_score,
        all_emotions=found.all_emotions,
        sentiment=found.sentiment,
        sentiment_scores=found.sentiment_scores,
        ekman=found.ekman,
        ekman_scores=found.ekman_scores,
        plutchik=found.plutchik,
        plutchik_scores=found.plutchik_scores,
        intensity=found.intensity,
        valence=found.valence,
        arousal=found.arousal,
        is_sarcastic=found.is_sarcastic,
        sarcasm_confidence=found.sarcasm_confidence,
        mixed_emotions=list(found.mixed_emotions),
        confidence=found.confidence,
        decided_by=found.decided_by,
    )


def _trajectory(user_id: str, days: int, recording: bool, points: list[Mood], found: Trajectory) -> TrajectoryOut:
    return TrajectoryOut(
        user_id=user_id,
        days=days,
        recording=recording,
        trajectory=[_point(mood) for mood in points],
        baseline_valence=found.baseline_valence,
        valence_std=found.valence_std,
        baseline_arousal=found.baseline_arousal,
        volatility=found.volatility,
        trend=found.trend,
        slope=found.slope.value if found.slope else None,
        slope_interval=_interval(found.slope) if found.slope else None,
        trend_line=found.trend_line,
        change_points=[
            ChangePointOut(at=step.at, turn_id=step.turn_id, before=step.before, after=step.after)
            for step in found.change_points
        ],
        dominant_emotions=dominant(found),
        expected_next=expected(found),
        insufficient=list(found.insufficient),
    )


def _point(mood: Mood) -> PointOut:
    return PointOut(
        at=mood.at,
        turn_id=mood.turn_id,
        primary_emotion=mood.primary_emotion,
        valence=mood.valence,
        arousal=mood.arousal,
        intensity=mood.intensity,
        confidence=mood.confidence,
        decided_by=mood.decided_by,
    )


router.include_router(routes, prefix="/api/v1")
router.include_router(routes, prefix="/api", include_in_schema=False)
