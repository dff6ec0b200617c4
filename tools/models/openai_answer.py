"""What the chunks of a chat completion say: text, usage, how it ended."""

from __future__ import annotations

from typing import Any, Literal

from tools.errors import UpstreamMalformed
from tools.models.openai_errors import error_in_stream
from tools.models.protocol import TokenUsage

FinishReason = Literal["stop", "length", "refused"]
_FINISHES: dict[str, FinishReason] = {"length": "length", "content_filter": "refused"}


class Answer:
    """One answer while it is read; tolerant of what servers leave out and repeat."""

    def __init__(self, max_chars: int) -> None:
        """Text after `max_chars` characters is cut off, and the answer then ends with `length`."""
        self.finish: FinishReason | None = None
        self.usage: TokenUsage | None = None
        self.length = 0
        """Characters so far."""
        self.alive = False
        """Whether the model has begun to speak, or to think."""
        self._max_chars = max_chars
        self._texts: list[str] = []
        self._declines = False

    @property
    def text(self) -> str:
        """All that was said."""
        return "".join(self._texts)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached: nothing more will be taken."""
        return self.finish == "length" and self.length >= self._max_chars

    def take(self, frame: dict[str, Any]) -> str:
        """The text that `frame` adds, often empty.

        Raises:
            UpstreamError: the frame reports an error.
            UpstreamMalformed: it is not a chat chunk.
        """
        if frame.get("error"):
            raise error_in_stream(frame["error"])
        self._count(frame.get("usage"))
        choices = frame.get("choices") or []
        if not isinstance(choices, list):
            raise UpstreamMalformed("The model's server sent JSON that is no chat chunk.")
        return "".join(self._choice(choice) for choice in choices)

    def _choice(self, choice: Any) -> str:
        if not isinstance(choice, dict):
            raise UpstreamMalformed("The model's server sent JSON that is no chat chunk.")
        if choice.get("index") or self.finish is not None:
            return ""  # another alternative, or a repeat after the end
        delta = choice.get("delta") or choice.get("message") or {}
        if not isinstance(delta, dict):
            raise UpstreamMalformed("The model's server sent JSON that is no chat chunk.")
        refusal = _text(delta.get("refusal"))
        self._declines = self._declines or bool(refusal)
        text = self._within_limit(_text(delta.get("content")) or refusal)
        self.alive = self.alive or bool(text or delta.get("reasoning_content") or delta.get("reasoning"))
        reason = choice.get("finish_reason")
        if self.finish is None and isinstance(reason, str) and reason:
            self.finish = _FINISHES.get(reason, "refused" if self._declines else "stop")
        return text

    def _within_limit(self, text: str) -> str:
        text, surplus = text[: self._max_chars - self.length], text[self._max_chars - self.length :]
        self.length += len(text)
        self._texts.append(text)
        if surplus:
            self.finish = "length"
        return text

    def _count(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if isinstance(prompt, int) and isinstance(completion, int) and min(prompt, completion) >= 0:
            self.usage = TokenUsage(prompt, completion)


def _text(content: Any) -> str:
    """Text from a string, from a list of text parts, or from nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    raise UpstreamMalformed("The model's server sent text of an unknown kind.")
