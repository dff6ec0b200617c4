"""The chat page in a real Chromium, against the real app."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.model_server import ModelServer
from tests.e2e.visitor import Visitor, visitor
from tests.server.processes import Zhiyin
from tests.tools.knowledge.files import encrypted, pdf

pytestmark = pytest.mark.server

HARBOUR = pdf(
    "Lowick Harbour\nLowick harbour was built in 1874 by the engineer Ada Merrow.",
    "The fleet\nIn 1931 the herring fleet moved to Tarn Bay.\nThe north pier is 412 metres long.",
)
ATTACK = """<img src="https://evil.example/x.png" onerror="window.harmed=1"><script>window.harmed=1</script>

![a picture](https://evil.example/y.png) [a link](javascript:window.harmed=1) [another](https://example.org/)

<iframe src="https://evil.example/"></iframe> <svg onload="window.harmed=1"></svg>
"""
CUT = """
    const real = window.fetch;
    window.fetch = async (address, options) => {
        const response = await real(address, options);
        if (!String(address).endsWith("/chat/stream")) return response;
        const cut = new TransformStream({
            transform(chunk, control) {
                control.enqueue(chunk);
                const spoken = new TextDecoder().decode(chunk).includes("delta");
                if (spoken) setTimeout(() => control.error(new TypeError("cut")));
            },
        });
        return new Response(response.body.pipeThrough(cut), { status: response.status, headers: response.headers });
    };
"""
"""Breaks the connection of a chat once the first words of its answer have come."""


def test_a_dropped_pdf_answers_with_a_citation_that_opens_its_passage(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.add("harbour.pdf", HARBOUR)
    newcomer.ask("When did the herring fleet move to Tarn Bay?")
    newcomer.await_answer()
    citation = page.locator(".answer .cite").first
    expect(page.locator(".answer-text")).to_contain_text("1931")
    citation.hover()
    expect(page.locator("#card blockquote")).to_contain_text("herring fleet")
    citation.click()
    expect(page.locator("#panel mark")).to_contain_text("1931")
    expect(page.locator("#panel mark")).to_be_in_viewport()
    leaf = page.locator("#panel .leaf", has=page.locator("mark"))
    expect(leaf.locator(".leaf-page")).to_have_text("Page 2")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(citation).to_be_focused()


def test_the_steps_name_the_engine_and_the_time_of_each_step(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.ask("How long is the north pier?")
    newcomer.await_answer()
    page.locator(".steps summary").click()
    expect(page.locator(".facts")).to_contain_text("LangGraph")
    expect(page.locator(".bars dt", has_text="Search the documents")).to_be_visible()
    expect(page.locator(".bars .share").first).to_be_visible()


def test_chips_say_what_was_understood_and_how_sure_that_is(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.ask("I am so happy, thank you!!!")
    newcomer.await_answer()
    chips = page.locator(".understood li")
    expect(chips).to_have_count(2)
    expect(chips.nth(1)).to_have_attribute("data-feeling", "pleasant")
    expect(chips.nth(1)).to_contain_text("%")
    newcomer.ask("我不想活了")
    expect(page.locator(".answer").last).to_contain_text("12356")
    expect(page.locator(".understood").last).to_contain_text("Help in a crisis")


def test_an_answer_arrives_step_by_step(guest: Visitor, model: ModelServer) -> None:
    model.says("First part of it. And then. ", "Second part of it.")
    guest.come()
    guest.ask("Tell me something in two parts")
    text = guest.page.locator(".answer-text")
    expect(text).to_contain_text("First part of it.")
    expect(text).not_to_contain_text("Second")
    expect(guest.page.locator("#announcer")).not_to_contain_text("First part")
    model.go_on()
    expect(text).to_contain_text("Second part of it.")
    guest.await_answer()
    expect(guest.page.locator("#announcer")).to_contain_text("First part of it. And then. Second part of it.")


def test_stop_ends_the_answer_and_the_conversation_goes_on(guest: Visitor, model: ModelServer) -> None:
    model.hung_up.clear()
    model.says("This much was said. And more. ", "Never said.")
    guest.come()
    guest.ask("Talk until I stop you")
    expect(guest.page.locator(".answer-text")).to_contain_text("This much")
    guest.page.get_by_role("button", name="Stop answering").click()
    expect(guest.page.locator(".note")).to_have_text("You stopped this answer.")
    assert model.hung_up.wait(10)
    model.says("Back again.")
    guest.ask("Go on")
    expect(guest.page.locator(".answer-text").nth(1)).to_contain_text("Back again.")


def test_escape_stops_the_answer(guest: Visitor, model: ModelServer) -> None:
    model.says("This much was said. And more. ", "Never said.")
    guest.come()
    guest.ask("Talk until I press Esc")
    expect(guest.page.locator(".answer-text")).to_contain_text("This much")
    guest.page.keyboard.press("Escape")
    expect(guest.page.locator(".note")).to_have_text("You stopped this answer.")


def test_a_reload_in_mid_answer_rejoins_it(guest: Visitor, model: ModelServer) -> None:
    model.says("Before the reload. And. ", "After the reload.")
    guest.come()
    guest.ask("Answer across a reload")
    expect(guest.page.locator(".answer-text")).to_contain_text("Before the reload.")
    guest.page.reload()
    expect(guest.page.locator(".question")).to_have_text("Answer across a reload")
    expect(guest.page.locator(".answer-text")).to_contain_text("Before the reload.")
    expect(guest.page.get_by_role("button", name="Stop answering")).to_be_visible()
    model.go_on()
    expect(guest.page.locator(".answer-text")).to_have_text("Before the reload. And. After the reload.")
    guest.await_answer()


def test_a_dropped_connection_is_picked_up_without_gap_or_repeat(guest: Visitor, model: ModelServer) -> None:
    model.says("One two three. Four five. ", "Six seven eight.")
    guest.page.add_init_script(CUT)
    guest.come()
    with guest.page.expect_request(lambda request: request.url.endswith("/events")) as resumed:
        guest.ask("Answer across a cut")
    expect(guest.page.locator(".answer-text")).to_contain_text("One two three.")
    assert re.fullmatch(r"turn_\w+:\d+", resumed.value.headers["last-event-id"])
    model.go_on()
    expect(guest.page.locator(".answer-text")).to_have_text("One two three. Four five. Six seven eight.")
    guest.await_answer()


def test_a_failed_answer_says_why_and_can_be_tried_again(guest: Visitor, model: ModelServer) -> None:
    model.failures = 10
    model.says("Here it is.")
    guest.come()
    guest.ask("Fail first")
    failure = guest.page.locator(".failure")
    expect(failure).to_contain_text("language model")
    model.failures = 0
    failure.get_by_role("button", name="Try again").click()
    expect(guest.page.locator(".answer-text").last).to_have_text("Here it is.")
    expect(guest.page.get_by_role("button", name="Try again")).to_have_count(0)


def test_what_an_answer_says_is_never_run(guest: Visitor, model: ModelServer) -> None:
    model.says(ATTACK)
    guest.come()
    guest.ask("Attack me")
    guest.await_answer()
    text = guest.page.locator(".answer-text")
    assert guest.page.evaluate("window.harmed") is None
    assert text.locator("img, script, iframe, svg:not(.icon), [onerror], [onload]").count() == 0
    assert text.locator("a[href^='javascript']").count() == 0
    safe = text.locator("a[href='https://example.org/']")
    expect(safe).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(safe).to_have_attribute("target", "_blank")


def test_what_a_document_says_is_never_run(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.add("attack.md", f"# Attack\n\nThe zebrafish attack was in 1999. {ATTACK}".encode(), "text/markdown")
    page.locator("#documents").click()
    page.locator(".document", has_text="attack.md").click()
    expect(page.locator("#panel .leaf")).to_contain_text("zebrafish")
    assert page.evaluate("window.harmed") is None
    assert page.locator("#panel .leaf :is(img, script, iframe)").count() == 0


def test_everything_is_said_in_chinese_too(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    page.get_by_role("button", name="切换到中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("button", name="新对话")).to_be_visible()
    expect(page.get_by_role("textbox")).to_have_attribute("placeholder", "向你的文档提问……")
    page.reload()
    expect(page.get_by_role("button", name="新对话")).to_be_visible()


def test_a_chinese_browser_gets_a_chinese_page(browser: Browser, embedded_app: Zhiyin) -> None:
    with visitor(browser, embedded_app.url, locale="zh-CN") as someone:
        someone.page.goto(someone.url)
        expect(someone.page.get_by_role("button", name="新对话")).to_be_visible()


def test_the_theme_follows_the_system_until_it_is_chosen(browser: Browser, embedded_app: Zhiyin) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with visitor(browser, embedded_app.url, color_scheme="dark") as someone:
        someone.come()
        dark = someone.page.evaluate(background)
        someone.page.locator("#theme").click()
        light = someone.page.evaluate(background)
        someone.page.reload()
        assert someone.page.evaluate(background) == light != dark


def test_a_keyboard_is_enough(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.add("harbour.pdf", HARBOUR)
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("Who built Lowick harbour?")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".question")).to_have_count(0)
    page.keyboard.press("Enter")
    newcomer.await_answer()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.classList.contains('cite')"):
            break
    expect(page.locator("#card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_be_focused()
    expect(page.locator("#panel mark")).to_contain_text("Ada Merrow")
    page.keyboard.press("Escape")
    expect(page.locator(".cite:focus")).to_have_count(1)


def test_enter_that_ends_a_composition_does_not_send(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    session = page.context.new_cdp_session(page)
    page.locator("#message").focus()
    session.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    page.evaluate("""() => document.getElementById("message").dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))""")
    expect(page.locator(".question")).to_have_count(0)
    session.send("Input.insertText", {"text": "你好"})
    expect(page.locator("#message")).to_have_value("你好")
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_text("你好")


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, scripted_app: Zhiyin, model: ModelServer) -> None:
    model.says("| a | b | c |\n|---|---|---|\n| " + " | ".join(["unbreakable" * 6] * 3) + " |\n\n`" + "x" * 200 + "`")
    with visitor(browser, scripted_app.url, viewport={"width": 360, "height": 740}) as someone:
        someone.come()
        someone.ask("w" * 120)
        someone.await_answer()
        someone.page.locator(".steps summary").click()
        assert someone.page.evaluate("document.documentElement.scrollWidth") == 360
        assert someone.page.evaluate("document.getElementById('thread').scrollWidth") <= 360
        someone.page.get_by_role("button", name="Conversations").click()
        expect(someone.page.locator("#new")).to_be_in_viewport()
        someone.page.keyboard.press("Escape")
        expect(someone.page.locator("nav")).to_be_hidden()


def test_a_conversation_is_renamed_exported_and_deleted(guest: Visitor, model: ModelServer, tmp_path: Path) -> None:
    page = guest.page
    model.says("An answer.")
    guest.come()
    guest.ask("A question to keep")
    guest.await_answer()
    item = page.locator("#conversations li", has_text="A question to keep")
    item.get_by_role("button").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Title").fill("Another title")
    page.keyboard.press("Enter")
    renamed = page.locator("#conversations li", has_text="Another title")
    expect(page).to_have_title("Another title · Zhiyin 知音")
    renamed.get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Export").click()
    kept = json.loads(Path(download.value.path()).read_text())
    assert download.value.suggested_filename == "Another title.json"
    assert [message["content"] for message in kept["messages"]] == ["A question to keep", "An answer."]
    renamed.get_by_role("button").focus()
    for key in ("Enter", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(renamed).to_have_count(0)
    expect(page.locator(".welcome")).to_be_visible()


def test_an_address_opens_its_conversation(guest: Visitor, model: ModelServer, browser: Browser) -> None:
    model.says("The answer behind the address.")
    guest.come()
    guest.ask("Give me an address")
    guest.await_answer()
    fragment = guest.page.evaluate("location.hash")
    with visitor(browser, guest.url) as friend:
        friend.come(f"/{fragment}")
        expect(friend.page.locator(".question")).to_have_text("Give me an address")
        expect(friend.page.locator(".answer-text")).to_have_text("The answer behind the address.")
        expect(friend.page.locator(".steps summary")).to_contain_text("LangGraph")


def test_each_bad_file_is_named_in_plain_words_and_stops_no_other(newcomer: Visitor) -> None:
    rows = newcomer.page.locator(".uploads li")
    newcomer.come()
    newcomer.drop("locked.pdf", encrypted(HARBOUR, "secret"))
    newcomer.drop("empty.txt", b"", "text/plain")
    newcomer.add("good.txt", b"The good file is good.", "text/plain")
    expect(rows.filter(has_text="locked.pdf")).to_contain_text("The PDF is protected by a password.")
    expect(rows.filter(has_text="empty.txt")).to_contain_text("There is no text in this file.")
    rows.filter(has_text="locked.pdf").get_by_role("button").click()
    expect(rows.filter(has_text="locked.pdf")).to_have_count(0)


def test_documents_are_listed_read_and_deleted(newcomer: Visitor) -> None:
    page = newcomer.page
    newcomer.come()
    newcomer.add("to-delete.txt", "A tree 🌳 grows.".encode(), "text/plain")
    page.locator("#documents").click()
    entry = page.locator(".documents li", has_text="to-delete.txt")
    entry.locator(".document").click()
    expect(page.locator("#panel .leaf")).to_have_text("A tree 🌳 grows.")
    page.get_by_role("button", name="All documents").click()
    entry.get_by_role("button", name="Delete to-delete.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(entry).to_have_count(1)
    entry.get_by_role("button", name="Delete to-delete.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(entry).to_have_count(0)


def test_example_questions_come_from_the_document(browser: Browser, tmp_path: Path) -> None:
    with Zhiyin(tmp_path) as app, visitor(browser, app.url) as someone:
        someone.come()
        expect(someone.page.locator(".invitation")).to_contain_text("Drop a PDF here to begin")
        text = "# Tea\n\n## Picking the leaves\n\nLeaves are picked early in the morning, before the dew is gone.\n"
        someone.add("tea.md", text.encode(), "text/markdown")
        example = someone.page.get_by_role("button", name="What does it say about “Picking the leaves”?")
        example.click()
        someone.await_answer()
        expect(someone.page.locator(".answer-text")).to_contain_text("morning")


def test_a_server_that_wants_a_token_gets_it(browser: Browser, tmp_path: Path) -> None:
    import jwt

    claims = {"sub": "u1", "tenant_id": "t1", "aud": "zhiyin", "iss": "tests", "exp": 4_000_000_000}
    secret = "a-secret-of-at-least-thirty-two-bytes"
    app = Zhiyin(tmp_path)
    app.write_env(f"JWT_SECRET={secret}\nJWT_AUDIENCE=zhiyin\nJWT_ISSUER=tests\n")
    with app, visitor(browser, app.url) as someone:
        someone.page.goto(app.url)
        claims["exp"] = someone.page.evaluate("Math.floor(Date.now() / 1000) + 600")
        someone.page.get_by_label("Access token").fill(jwt.encode(claims, secret, "HS256"))
        someone.page.get_by_role("button", name="Use token").click()
        expect(someone.page.get_by_role("dialog")).to_have_count(0)
        someone.add("mine.txt", b"The blue key opens the gate.", "text/plain")
        someone.complaints.clear()  # Chromium reports each 401 on the console


def test_a_lost_server_is_announced_and_found_again(browser: Browser, tmp_path: Path) -> None:
    app = Zhiyin(tmp_path)
    with app, visitor(browser, app.url) as someone:
        someone.come()
        expect(someone.page.locator("#banner")).to_be_hidden()
        app.stop()
        someone.ask("Are you there?")
        expect(someone.page.locator("#banner")).to_contain_text("cannot be reached")
        expect(someone.page.locator(".failure")).to_contain_text("could not be reached")
        app.start()
        expect(someone.page.locator("#banner")).to_be_hidden()
        someone.page.get_by_role("button", name="Try again").click()
        someone.await_answer()
        expect(someone.page.locator(".question")).to_have_count(1)
        someone.complaints.clear()  # Chromium reports each refused connection on the console
