/** Puts the page together: makes its parts, and tells each what happens in the others. */

import { setUpAppearance } from "./appearance.js";
import { Composer } from "./composer.js";
import { addressed, addressOf, Conversations } from "./conversations.js";
import { setUpDocuments, showDocuments, toggleDocuments } from "./documents.js";
import { byId } from "./dom.js";
import { watchHealth } from "./health.js";
import { languageChanges, say, t, translate } from "./i18n.js";
import { escapeGraph, followGraph, graphIsShown, setUpGraph } from "./graph-door.js";
import { setUpIntake } from "./intake.js";
import { library } from "./library.js";
import { refreshMood, toggleMood } from "./mood.js";
import { leaveNavigation, setUpNavigation } from "./navigation.js";
import { notifyFailure } from "./notices.js";
import { closePanel } from "./panel.js";
import { hideCard } from "./quote-card.js";
import { readerLeadsBackTo } from "./reader.js";
import { Thread } from "./thread.js";
import { Uploads } from "./uploads.js";
import { Welcome } from "./welcome.js";

let opened = false;
const thread = new Thread();
const uploads = new Uploads();
const choose = setUpIntake((files) => {
  uploads.add(files);
  if (graphIsShown()) showDocuments(byId("documents")); // the tray of uploads stands in the conversation
});
const welcome = new Welcome(askExample, choose);
const composer = new Composer(
  (text) => thread.send(text),
  () => thread.stop().catch(notifyFailure),
);
const conversations = new Conversations(
  (id) => id === thread.conversationId && startAnew(),
  (id, title) => thread.renamed(id, title),
);

function askExample(question) {
  composer.focus();
  thread.send(question);
}

function startAnew() {
  if (location.hash) history.pushState(null, "", location.pathname);
  return follow();
}

async function follow() {
  const [id, wasGraph] = [addressed(), graphIsShown()];
  leaveNavigation();
  if (followGraph()) return conversations.setCurrent(null);
  conversations.setCurrent(id);
  if (wasGraph && opened && id === thread.conversationId) return;
  opened = true;
  await thread.open(id);
}

/** From the graph back to where it was opened. */
function returnToThread() {
  const { conversationId } = thread;
  history.pushState(null, "", conversationId ? addressOf(conversationId) : location.pathname);
  return follow();
}

function showTitle() {
  document.title = t("app.title", { title: thread.title });
  byId("title").textContent = thread.title;
}

function refresh() {
  refreshConversations();
  library.refresh().catch(notifyFailure);
}

/** A new conversation gets its title from its first message. */
async function refreshConversations() {
  await conversations.refresh().catch(notifyFailure);
  const title = conversations.titleOf(thread.conversationId);
  if (title) thread.renamed(thread.conversationId, title);
}

thread.addEventListener("busy", () => composer.setBusy(thread.busy));
thread.addEventListener("title", showTitle);
thread.addEventListener("empty", () => {
  byId("exchanges").replaceChildren(welcome.element);
  welcome.draw();
});
thread.addEventListener("filled", () => welcome.element.remove());
thread.addEventListener("started", () => {
  if (!graphIsShown()) {
    history.pushState(null, "", addressOf(thread.conversationId));
    conversations.setCurrent(thread.conversationId);
  }
  refreshConversations();
});
thread.addEventListener("ended", () => {
  refreshConversations();
  refreshMood().catch(notifyFailure);
});
languageChanges.addEventListener("change", showTitle);
library.addEventListener("change", () => {
  say(byId("documents"), "tip", "documents.open", { n: library.documents.length });
  byId("documents-count").textContent = library.documents.length || "";
});
addEventListener("popstate", () => follow());

byId("uploads").append(uploads.element);
byId("attach").addEventListener("click", choose);
byId("documents").addEventListener("click", (event) => toggleDocuments(event.currentTarget));
byId("mood").addEventListener("click", (event) => toggleMood(event.currentTarget).catch(notifyFailure));
byId("new").addEventListener("click", () => startAnew().then(() => composer.focus()));
byId("thread").addEventListener("scroll", hideCard, { passive: true });
addEventListener("keydown", onEscape);

/** Esc takes away the topmost thing: card, list, panel, then the running answer. Dialogs and menus close themselves. */
function onEscape(event) {
  if (event.key !== "Escape" || event.isComposing || hideCard()) return;
  if (document.querySelector("dialog[open], #conversation-menu:popover-open")) return;
  if (leaveNavigation()) return byId("nav-toggle").focus();
  if (closePanel() || escapeGraph()) return;
  if (thread.busy) thread.stop().catch(notifyFailure);
}

translate(document);
setUpAppearance();
setUpNavigation();
setUpDocuments(choose);
setUpGraph({ onAddress: follow, onLeave: returnToThread, onAdd: choose });
readerLeadsBackTo(() => showDocuments(byId("documents")));
composer.setBusy(false);
watchHealth(refresh);
refresh();
follow();
