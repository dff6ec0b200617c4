"""The legacy coordinator's table of keywords: small, frozen, and the same for every release.

It is what operators fall back to, so nothing is added to it; better detection belongs in `rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.intent.protocol import Intent, IntentLabel

KEYWORDS: dict[str, IntentLabel] = {
    "hello": "small_talk",
    "hi": "small_talk",
    "thanks": "small_talk",
    "thank you": "small_talk",
    "bye": "small_talk",
    "你好": "small_talk",
    "您好": "small_talk",
    "谢谢": "small_talk",
    "再见": "small_talk",
    "why": "causal_question",
    "cause": "causal_question",
    "为什么": "causal_question",
    "原因": "causal_question",
    "summarize": "broad_question",
    "summarise": "broad_question",
    "overview": "broad_question",
    "总结": "broad_question",
    "概括": "broad_question",
    "translate": "task",
    "write": "task",
    "calculate": "task",
    "翻译": "task",
    "写": "task",
    "计算": "task",
    "who are you": "meta",
    "你是谁": "meta",
}
HIT_CONFIDENCE = 0.6
MISS_CONFIDENCE = 0.3
COURTESY_CHARS = 20
"""A longer message with a greeting in it asks something besides."""

_WORDS = "|".join(re.escape(word) for word in sorted(KEYWORDS, key=len, reverse=True))
_KEYWORD = re.compile(rf"(?<![a-z])(?:{_WORDS})(?![a-z])")


class KeywordIntentDetector:
    """An `IntentDetector` that takes the first keyword it meets, and knows no history."""

    async def detect(self, message: str, language: str, history: Sequence[str] = ()) -> Intent:
        """See `IntentDetector`; `language` and `history` are not looked at."""
        for found in _KEYWORD.finditer(message[:1000].lower()):
            label = KEYWORDS[found.group()]
            if label != "small_talk" or len(message) <= COURTESY_CHARS:
                return Intent(label, HIT_CONFIDENCE, "keywords")
        return Intent("knowledge_question", MISS_CONFIDENCE, "keywords")
