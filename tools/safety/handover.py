"""When distress lasts, a person is offered: whoever the operator names, else somebody whom the user trusts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tools.models.protocol import Language

LOW = -0.35
"""Valence at or below which a message tells of distress."""
LOOK_BACK = 4
"""Messages of the user before the present one that count."""
NEEDED = 3
"""Messages of distress, the present one among them, that make it last."""

_WITH_CONTACT: dict[Language, str] = {
    "en": "You don't have to sort this out with a program alone. If you would rather talk to a person: {contact}.",
    "zh": "这些事不必只和程序说。如果想和真人谈谈，可以联系：{contact}。",
}
_WITHOUT: dict[Language, str] = {
    "en": "You don't have to sort this out with a program alone. It may help to talk to somebody you trust.",
    "zh": "这些事不必只和程序说。和信任的人聊一聊，也许会好一些。",
}


class PersonOffer:
    """A `Handover` to the configured contact."""

    look_back = LOOK_BACK

    def __init__(self, contact: str | None) -> None:
        """`contact` is what users are told; None where there is nobody to name."""
        bare = contact.rstrip(".。") if contact else ""
        texts = _WITH_CONTACT if bare else _WITHOUT
        self._offers = {language: text.replace("{contact}", bare) for language, text in texts.items()}

    def is_possible(self, valence: float) -> bool:
        """See `Handover`."""
        return valence <= LOW

    def is_due(self, valences: Sequence[float]) -> bool:
        """See `Handover`: the present message is low, and with it three of the last five."""
        recent = valences[-LOOK_BACK - 1 :]
        return bool(recent) and self.is_possible(recent[-1]) and sum(map(self.is_possible, recent)) >= NEEDED

    def offer(self, language: Language) -> str:
        """See `Handover`."""
        return self._offers[language]

    def was_made_in(self, answers: Iterable[str]) -> bool:
        """See `Handover`; an offer of another contact was another offer."""
        return any(offer in answer for answer in answers for offer in self._offers.values())
