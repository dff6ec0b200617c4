from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.chat_model import ChatModelContract, answer_of, listen, text_of
from tests.doubles import HashingEmbedder
from tools.models.embedders.open import open_embedder
from tools.models.embedders.settings import EmbedderSettings
from tools.models.extractive.model import ExtractiveModel
from tools.models.extractive.replies import topics
from tools.models.extractive.sentences import split_sentences
from tools.models.protocol import ChatMessage, ChatRequest, Embedder, Evidence, Language, Persona, Tone

QUESTIONS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("english_questions.yaml").read_text("utf-8"))
TEA = (
    Evidence(
        "1",
        "龙井茶.md",
        "# 龙井茶\n\n龙井茶产于浙江杭州西湖一带，已有一千二百余年历史。龙井茶属于绿茶。\n\n"
        "## 采制\n明前茶最为珍贵，每年清明节前采摘。炒制要用手在铁锅里翻炒，分青锅和辉锅两步。\n\n"
        "## 冲泡\n- 水温以80度左右为宜\n- 每杯放3克茶叶\n- 第一泡一分钟即可饮用",
    ),
    Evidence(
        "2", "工厂制度.docx", "工厂每周一至周五开放，周末休息。参观者必须提前三天预约。安全主管是王磊，电话是内线208。"
    ),
    Evidence("3", "Harbour", "The tea harbour was built in 1874. Its pier is 412 metres long."),
)


class TestExtractiveModel(ChatModelContract):
    @pytest.fixture
    def model(self) -> ExtractiveModel:
        return ExtractiveModel(HashingEmbedder())


def request(message: str, language: Language = "en", evidence: Sequence[Evidence] = (), **fields: Any) -> ChatRequest:
    return ChatRequest(message, language, fields.pop("persona", Persona()), evidence=evidence, **fields)


async def say(message: str, language: Language = "en", evidence: Sequence[Evidence] = (), **fields: Any) -> str:
    return text_of(await answer_of(ExtractiveModel(), request(message, language, evidence, **fields)))


def passages(gold: int | None) -> list[Evidence]:
    """Five passages, the gold one among the first three; without one, the gold one's neighbours alone."""
    found = QUESTIONS["passages"]
    others = [place for place in range(len(found)) if place != gold]
    places = others[:5] if gold is None else [*others[: gold % 3], gold, *others[gold % 3 : 4]]
    return [Evidence(str(n), found[p]["title"], found[p]["text"]) for n, p in enumerate(places, start=1)]


async def share_answered(kind: str, embedder: Embedder | None = None) -> float:
    model, found = ExtractiveModel(embedder), 0
    for gold, question, answer in QUESTIONS[kind]:
        said = text_of(await answer_of(model, request(question, evidence=passages(gold))))
        found += answer in said
    return found / len(QUESTIONS[kind])


def quoted(answer: str) -> list[tuple[str, str]]:
    """(sentence, label) of each quotation."""
    return [(text.strip(" -\n"), label) for text, label in re.findall(r"(.+?) \[(\d+)\]", answer, re.DOTALL)]


async def test_english_questions_are_answered() -> None:
    assert await share_answered("answerable") >= 0.95


async def test_questions_in_other_words_are_answered_with_the_encoder() -> None:
    embedder = open_embedder(EmbedderSettings())
    without, helped = await share_answered("paraphrased"), await share_answered("paraphrased", embedder)
    assert await share_answered("answerable", embedder) >= 0.95
    await embedder.close()
    assert helped >= without + 0.2
    assert helped >= 0.6


async def test_what_the_passages_do_not_know_is_not_answered() -> None:
    refused = [
        ("couldn't find" in await say(question, evidence=passages(None))) for question in QUESTIONS["unanswerable"]
    ]
    assert sum(refused) >= 0.9 * len(refused)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("龙井茶产自哪里？", "浙江杭州"),
        ("泡龙井茶水温多少度？", "80度"),
        ("明前茶什么时候采摘？", "清明节前"),
        ("谁是工厂的安全主管？", "王磊"),
        ("参观工厂要提前多久预约？", "三天"),
        ("龙井茶有多少年历史", "一千二百余年"),
    ],
)
async def test_chinese_questions_are_answered(question: str, answer: str) -> None:
    assert answer in await say(question, "zh", TEA)


@pytest.mark.parametrize("question", ["特斯拉的股价是多少？", "谁写了《红楼梦》？", "火星上有水吗？"])
async def test_chinese_questions_without_an_answer_are_told_so(question: str) -> None:
    assert "没有找到" in await say(question, "zh", TEA)


@pytest.mark.parametrize("kind", ["answerable", "unanswerable"])
async def test_each_sentence_stands_in_the_passage_that_its_label_names(kind: str) -> None:
    for entry in QUESTIONS[kind]:
        question, given = (entry, passages(None)) if isinstance(entry, str) else (entry[1], passages(entry[0]))
        texts = {evidence.label: " ".join(evidence.text.split()) for evidence in given}
        answer = await say(question, evidence=given)
        for sentence, label in quoted(answer):
            assert sentence in texts[label]


async def test_a_specific_question_gets_one_to_three_sentences() -> None:
    for gold, question, _ in QUESTIONS["answerable"]:
        assert 1 <= len(quoted(await say(question, evidence=passages(gold)))) <= 3


@pytest.mark.parametrize("message", ["Tell me about the Lowick ferry", "Give me an overview of the Marlow Museum"])
async def test_a_broad_question_gets_four_to_six_different_sentences(message: str) -> None:
    sentences = quoted(await say(message, evidence=passages(3) if "ferry" in message else passages(1)))
    assert 4 <= len(set(sentences)) == len(sentences) <= 6


async def test_the_intent_alone_can_make_a_question_broad() -> None:
    answer = await say("The Lowick ferry", evidence=passages(3), intent="broad_question")
    assert len(quoted(answer)) >= 4


async def test_what_two_passages_say_alike_is_quoted_once() -> None:
    text = "The harbour was built in 1874 by Ada Merrow."
    answer = await say("When was the harbour built?", evidence=[Evidence("1", "a", text), Evidence("2", "b", text)])
    assert answer == f"{text} [1]"


async def test_sentences_in_the_questions_language_go_before_others() -> None:
    mixed = (Evidence("1", "茶", "The 龙井 tea is grown near Hangzhou. 龙井茶产于杭州。"),)
    assert await say("龙井茶产于哪里？", "zh", mixed) == "龙井茶产于杭州。 [1]"
    assert "grown near Hangzhou" in await say("Where is 龙井 tea grown?", "en", mixed)


async def test_another_language_is_better_than_no_answer() -> None:
    assert "412" in await say("pier 有多长？", "zh", TEA)


async def test_a_question_that_points_back_takes_its_topic_from_the_one_before() -> None:
    earlier = [ChatMessage("user", "When did the Kittiwake come into service?"), ChatMessage("assistant", "2009 [1].")]
    assert "Ingrid Solheim" in await say("Who is her captain?", evidence=passages(3), history=earlier)


async def test_footnotes_of_a_passage_are_not_taken_for_our_citations() -> None:
    answer = await say(
        "When was the harbour built?", evidence=[Evidence("1", "Harbour", "The harbour[3] was built in 1874.[4]")]
    )
    assert answer == "The harbour was built in 1874. [1]"


async def test_lines_that_were_wrapped_are_joined() -> None:
    wrapped = Evidence("1", "港口", "老港口是一八七四年由外地来的工程师阿达·\n梅罗主持建造完成的。")
    assert (
        await say("老港口是谁建造的？", "zh", [wrapped])
        == "老港口是一八七四年由外地来的工程师阿达·梅罗主持建造完成的。 [1]"
    )


async def test_headings_are_not_quoted_and_fragments_stand_on_lines_of_their_own() -> None:
    notes = Evidence("1", "notes", "Harbour opening hours\n\n- Harbour office: 9 to 17\n- Harbour café: 8 to 22\n")
    answer = await say("What are the opening hours of the harbour office and café?", evidence=[notes])
    assert answer == "- Harbour office: 9 to 17 [1]\n- Harbour café: 8 to 22 [1]"


async def test_an_opening_of_the_persona_stands_before_the_answer() -> None:
    persona = Persona(opening={"en": "Here is what I found."})
    answer = await say("When was the tea harbour built?", "en", TEA, persona=persona)
    assert answer == "Here is what I found.\n\nThe tea harbour was built in 1874. [3]"
    assert "found." not in await say("Hello", intent="small_talk", persona=persona)
    felt = await say("When was the tea harbour built?", "en", TEA, persona=persona, tone=STRONG["anger"])
    assert felt == f"Sorry for the trouble.\n\n{answer}"


@pytest.mark.parametrize(
    ("language", "message", "intent", "said"),
    [
        ("en", "Hello there!", "small_talk", "Zhiyin"),
        ("en", "thanks a lot", "small_talk", "welcome"),
        ("en", "Goodbye", "small_talk", "Goodbye"),
        ("en", "Who are you?", "small_talk", "Zhiyin"),
        ("en", "How are you today?", "small_talk", "How are you"),
        ("en", "blah", "small_talk", "documents"),
        ("en", "I feel so lonely", "emotional_support", "Feeling alone"),
        ("en", "Everything is grey", "emotional_support", "listen"),
        ("en", "That was wrong", "feedback", "sorry"),
        ("en", "Very useful answer", "feedback", "Thank you"),
        ("en", "What can you do?", "meta", "documents"),
        ("en", "Which file formats can I upload?", "meta", "PDF"),
        ("zh", "你好", "small_talk", "知音"),
        ("zh", "谢谢！", "small_talk", "不客气"),
        ("zh", "再见", "small_talk", "再见"),
        ("zh", "你是谁？", "small_talk", "知音"),
        ("zh", "最近压力好大", "emotional_support", "慢一点"),
        ("zh", "你答错了", "feedback", "抱歉"),
        ("zh", "你能做什么？", "meta", "文档"),
        ("zh", "你是谁？", "meta", "我是知音"),
    ],
)
async def test_talk_that_asks_for_no_passage_gets_a_polite_reply(
    language: Language, message: str, intent: str, said: str
) -> None:
    answer = await say(message, language, TEA, intent=intent)
    assert said in answer
    assert "[" not in answer


async def test_what_only_may_be_unsafe_is_answered_from_the_passages() -> None:
    chunks = await answer_of(ExtractiveModel(), request("When was the tea harbour built?", "en", TEA, intent="unsafe"))
    assert text_of(chunks) == "The tea harbour was built in 1874. [3]"
    assert chunks[-1].finish_reason == "stop"


@pytest.mark.parametrize(("language", "said"), [("en", "beyond what I can help with"), ("zh", "超出了我能帮忙的范围")])
async def test_what_lies_outside_is_said_to_once_the_passages_were_read(language: Language, said: str) -> None:
    outside = {"en": "Will it rain in Oslo tomorrow?", "zh": "明天奥斯陆会下雨吗？"}[language]
    assert said in await say(outside, language, TEA, intent="out_of_scope")
    assert said in await say(outside, language, intent="out_of_scope")
    inside = {"en": "When was the tea harbour built?", "zh": "龙井茶产自哪里？"}[language]
    assert said not in await say(inside, language, TEA, intent="out_of_scope")


STRONG = {
    "anger": Tone("anger", "negative", 0.9),
    "sadness": Tone("sadness", "negative", 0.9),
    "fear": Tone("fear", "negative", 0.9),
    "confusion": Tone("confusion", "neutral", 0.9),
    "joy": Tone("joy", "positive", 0.9),
}


@pytest.mark.parametrize(("emotion", "opening"), [("anger", "Sorry"), ("sadness", "sorry"), ("joy", "good to hear")])
async def test_a_strong_feeling_gets_a_word_before_the_same_cited_answer(emotion: str, opening: str) -> None:
    chunks = await answer_of(
        ExtractiveModel(), request("When was the tea harbour built?", "en", TEA, tone=STRONG[emotion])
    )
    first, *rest = chunks
    assert opening in first.text
    assert first.aside
    assert not any(chunk.aside for chunk in rest)
    assert text_of(rest) == "The tea harbour was built in 1874. [3]"


async def test_every_opening_is_one_short_sentence_in_its_language_and_names_no_feeling() -> None:
    openings = {
        (emotion, language): await say(question, language, TEA, tone=tone)
        for emotion, tone in STRONG.items()
        for language, question in (("en", "When was the tea harbour built?"), ("zh", "龙井茶产自哪里？"))
    }
    for (emotion, language), answer in openings.items():
        opening, _ = answer.split("\n\n", 1)
        assert len(split_sentences(opening)) == 1
        assert len(opening) <= 60
        assert bool(re.search("[\u4e00-\u9fff]", opening)) == (language == "zh")
        assert emotion not in opening.lower()
        assert not re.search("angry|sad|afraid|you feel|生气|愤怒|悲伤|难过|害怕", opening)


@pytest.mark.parametrize(
    "tone",
    [
        None,
        Tone("anger", "negative", 0.3),
        Tone("joy", "neutral", 0.9),
        Tone("curiosity", "positive", 0.9),
        Tone("never heard of", "negative", 0.9),
    ],
)
async def test_a_faint_or_mixed_feeling_changes_nothing(tone: Tone | None) -> None:
    assert await say("When was the tea harbour built?", "en", TEA, tone=tone) == (
        "The tea harbour was built in 1874. [3]"
    )


async def test_small_talk_has_words_enough_of_its_own() -> None:
    assert await say("Hello", intent="small_talk", tone=STRONG["joy"]) == await say("Hello", intent="small_talk")


async def test_a_broad_intent_needs_no_sign_in_the_words() -> None:
    answer = await say("What do we have here?", "en", TEA, intent="broad_question")
    assert answer.count("\n- ") >= 2


@pytest.mark.parametrize("intent", ["knowledge_question", "task", "out_of_scope", "causal_question", "never heard of"])
async def test_small_talk_taken_for_a_question_is_still_answered(intent: str) -> None:
    assert "Zhiyin" in await say("hello", evidence=TEA, intent=intent)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_without_documents_it_says_what_to_do(language: Language) -> None:
    assert re.search("[Uu]pload|上传", await say("When was the tea harbour built?", language))


def test_every_ready_reply_is_in_both_languages_and_the_last_of_each_intent_always_speaks() -> None:
    for intent, entries in topics().items():
        assert all(topic.texts["en"].isascii() and re.search(r"[一-鿿]", topic.texts["zh"]) for topic in entries)
        if intent != "nothing_found":
            assert entries[-1].speaks_to("\x00")


async def test_the_persona_has_the_name_in_ready_replies() -> None:
    assert "I'm Ada" in await say("Hi", intent="small_talk", persona=Persona(name={"en": "Ada"}))


@pytest.mark.parametrize(("language", "message"), [("en", "How long is the pier?"), ("zh", "龙井茶产自哪里？")])
async def test_an_answer_comes_word_by_word(language: Language, message: str) -> None:
    chunks = await answer_of(ExtractiveModel(), request(message, language, TEA))
    assert len(chunks) > 5
    for chunk in chunks[:-1]:
        assert len(chunk.text.split()) == 1
        assert len(re.findall(r"[一-鿿]", chunk.text)) <= 3


async def test_max_tokens_cuts_the_answer() -> None:
    chunks = await answer_of(ExtractiveModel(), request("Tell me about龙井 tea harbour", evidence=TEA, max_tokens=5))
    assert chunks[-1].finish_reason == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens <= 5


async def test_other_tasks_run_while_it_answers() -> None:
    laps, done = 0, False

    async def run() -> None:
        nonlocal laps
        while not done:
            laps += 1
            await asyncio.sleep(0)

    runner = asyncio.create_task(run())
    chunks = await answer_of(ExtractiveModel(), request("When was the tea harbour built?", evidence=TEA))
    done = True
    await runner
    assert laps >= len(chunks)


async def test_a_refusing_encoder_leaves_the_words_to_decide() -> None:
    embedder = HashingEmbedder()
    await embedder.close()
    model = ExtractiveModel(embedder)
    async with listen(model, request("Which year saw the pier of tea finished?", evidence=TEA)) as chunks:
        assert [chunk async for chunk in chunks][-1].finish_reason == "stop"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "。。。",
        "....",
        "a" * 50_000,
        "长" * 50_000,
        "[1] [2]",
        "\n\n#\n\n-\n",
        "🙂🙂",
        "x\u2028y",
        "#" * 3000,
    ],
)
async def test_odd_passages_and_questions_do_no_harm(text: str) -> None:
    for language in ("en", "zh"):
        answer = await answer_of(
            ExtractiveModel(HashingEmbedder()), request(text or "?", language, [replace(TEA[0], text=text, title=text)])
        )
        assert answer[-1].finish_reason == "stop"


def test_sentences_are_slices_of_the_text_in_order() -> None:
    text = (
        "Opening hours\n\nDr. Reed of the U.S. Navy paid 3.5 million. It was a lot! “Really?” he said.\n"
        "- First point\n- Second point, e.g. this one\n\n他说：“好。”然后走了。价格是1.5元…真的吗？\n"
        "name,city,year\nA | B | C\n"
    )
    sentences = [sentence.text for sentence in split_sentences(text)]
    assert sentences == [
        "Opening hours",
        "Dr. Reed of the U.S. Navy paid 3.5 million.",
        "It was a lot!",
        "“Really?”",
        "he said.",
        "First point",
        "Second point, e.g. this one",
        "他说：“好。”",
        "然后走了。",
        "价格是1.5元…",
        "真的吗？",
        "name,city,year",
        "A | B | C",
    ]
    places = [text.index(sentence) for sentence in sentences]
    assert places == sorted(places)
    assert [sentence.text for sentence in split_sentences(text) if sentence.is_heading] == ["Opening hours"]


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Summarise this document", "en"),
        ("What are these documents about?", "en"),
        ("compare the themes", "en"),
        ("这些文档讲了什么", "zh"),
        ("总结一下", "zh"),
        ("比较主题", "zh"),
    ],
)
async def test_a_question_that_names_nothing_gets_an_overview_of_all_passages(
    question: str, language: Language
) -> None:
    said = quoted(await say(question, language, TEA))
    assert {label for _, label in said} == {"1", "2", "3"}
    assert 4 <= len(said) <= 6
    assert len({text for text, _ in said}) == len(said)


async def test_an_overview_opens_each_passage_with_what_it_is_about() -> None:
    said = quoted(await say("Give me an overview", evidence=TEA))
    firsts = {label: text for text, label in reversed(said)}
    assert "龙井茶产于浙江杭州" in firsts["1"]
    assert "built in 1874" in firsts["3"]


async def test_an_overview_of_passages_that_say_the_same_says_it_once() -> None:
    same = [Evidence(str(n), "Harbour", "The tea harbour was built in 1874.") for n in range(1, 4)]
    assert len(quoted(await say("Summarise these documents", evidence=same))) == 1


async def test_a_broad_question_that_names_something_else_gets_no_overview() -> None:
    assert "couldn't find" in await say("Summarise the life of Nora Okonkwo", evidence=TEA)


async def test_without_passages_there_is_no_overview() -> None:
    assert quoted(await say("Summarise this document")) == []
