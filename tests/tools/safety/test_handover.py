from __future__ import annotations

import pytest

from tools.safety.handover import LOOK_BACK, LOW, NEEDED, PersonOffer
from tools.safety.settings import HandoverSettings


def test_distress_lasts_when_three_of_the_last_five_messages_are_low_and_the_present_one_is() -> None:
    due = PersonOffer(None).is_due
    assert due([-0.8, 0.1, -0.5, 0.0, LOW])
    assert not due([-0.8, -0.8, -0.8, -0.8, 0.0])
    assert not due([-0.9] * (NEEDED - 1))
    assert not due([-0.9, -0.9, *[0.3] * (LOOK_BACK - 1), -0.9, -0.9])
    assert not due([])


@pytest.mark.parametrize("contact", [None, "", "Ms Li, +86 10 1234, weekdays 9-17."])
def test_the_offer_names_the_contact_and_without_one_somebody_trusted(contact: str | None) -> None:
    offer = PersonOffer(contact)
    expected = ("Ms Li, +86 10 1234", "Ms Li, +86 10 1234") if contact else ("somebody you trust", "信任的人")
    assert expected[0] in offer.offer("en")
    assert expected[1] in offer.offer("zh")
    assert ".." not in offer.offer("en")


def test_an_offer_is_known_again_in_either_language() -> None:
    offer = PersonOffer("the care team")
    assert offer.was_made_in(["Hello.", f"I see.\n\n{offer.offer('zh')}"])
    assert not offer.was_made_in(["Hello.", PersonOffer(None).offer("en")])
    assert not offer.was_made_in([])


def test_the_contact_is_one_line_and_blank_means_none() -> None:
    assert HandoverSettings(handover_contact=" Ms Li,\n +86 10 1234 ").handover_contact == "Ms Li, +86 10 1234"
    assert HandoverSettings(handover_contact="  ").handover_contact is None
