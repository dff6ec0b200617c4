/** The list of conversations at the left: open, rename, export, delete. */

import { read, request } from "./api.js";
import { askForText, confirmAction } from "./dialogs.js";
import { byId, h, iconButton } from "./dom.js";
import { t } from "./i18n.js";
import { notifyFailure } from "./notices.js";

const PAGE = 30;

/** `onDeleted(id)` hears of deleted conversations, `onRenamed(id, title)` of titles. */
export class Conversations {
  #items = [];
  #cursor = null;
  #current = null;
  #list = byId("conversations");
  #menu = byId("conversation-menu");
  #onDeleted;
  #onRenamed;

  constructor(onDeleted, onRenamed) {
    this.#onDeleted = onDeleted;
    this.#onRenamed = onRenamed;
    this.#menu.addEventListener("keydown", moveInMenu);
    byId("more-conversations").addEventListener("click", () => this.#load(this.#cursor).catch(notifyFailure));
  }

  /** Ask for the newest ones again; older ones that are shown stay. */
  async refresh() {
    const page = await read(`/conversations?limit=${PAGE}`);
    const fresh = new Set(page.items.map(({ id }) => id));
    const older = this.#items.slice(page.items.length).filter(({ id }) => !fresh.has(id));
    this.#cursor = older.length > 0 ? this.#cursor : page.next_cursor;
    this.#items = [...page.items, ...older];
    this.#draw();
  }

  /** The title of one that is listed; empty for others. */
  titleOf(id) {
    return this.#items.find((item) => item.id === id)?.title ?? "";
  }

  /** Mark the one that is open; null for a new one. */
  setCurrent(id) {
    this.#current = id;
    this.#draw();
  }

  async #load(cursor) {
    const page = await read(`/conversations?limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`);
    const known = new Set(this.#items.map(({ id }) => id));
    this.#items.push(...page.items.filter(({ id }) => !known.has(id)));
    this.#cursor = page.next_cursor;
    this.#draw();
  }

  #draw() {
    const focused = document.activeElement?.closest?.("#conversations [data-id]")?.dataset.id;
    const none = h("li", { class: "quiet-note", t: "nav.none" });
    this.#list.replaceChildren(...(this.#items.length ? this.#items.map((item) => this.#entry(item)) : [none]));
    if (focused) this.#list.querySelector(`[data-id="${CSS.escape(focused)}"] a`)?.focus();
    byId("more-conversations").hidden = this.#cursor === null;
  }

  #entry(item) {
    const title = item.title || t("nav.untitled");
    const current = item.id === this.#current && "page";
    const link = h("a", { href: addressOf(item.id), "aria-current": current, title }, title);
    const more = iconButton("more", ["nav.actions", { title }], () => this.#openMenu(item, more), {
      "aria-haspopup": "menu",
    });
    return h("li", { "data-id": item.id }, link, more);
  }

  #openMenu(item, anchor) {
    const act = (work) => () => {
      this.#menu.hidePopover();
      work(item).catch(notifyFailure);
    };
    const entry = (key, work, kind) =>
      h("button", { type: "button", role: "menuitem", class: kind, t: key, onclick: act(work) });
    this.#menu.replaceChildren(
      entry("action.rename", (one) => this.#rename(one)),
      entry("action.export", exportConversation),
      entry("action.delete", (one) => this.#delete(one), "danger-text"),
    );
    this.#menu.showPopover();
    place(this.#menu, anchor);
    this.#menu.firstElementChild.focus();
  }

  async #rename(item) {
    const title = await askForText("rename.title", "rename.label", item.title);
    if (!title || title === item.title) return;
    await request(pathOf(item.id), { method: "PATCH", json: { title } });
    item.title = title;
    this.#draw();
    this.#onRenamed(item.id, title);
  }

  async #delete(item) {
    const title = item.title || t("nav.untitled");
    if (!(await confirmAction("delete.title", ["delete.body", { title }], "action.delete"))) return;
    await request(pathOf(item.id), { method: "DELETE" });
    this.#items = this.#items.filter(({ id }) => id !== item.id);
    this.#draw();
    byId("new").focus();
    this.#onDeleted(item.id);
  }
}

/** The address that opens a conversation. */
export function addressOf(id) {
  return `#/c/${encodeURIComponent(id)}`;
}

/** The conversation the address names, or null. */
export function addressed() {
  const found = /^#\/c\/(.+)$/.exec(location.hash);
  return found && decodeURIComponent(found[1]);
}

function pathOf(id) {
  return `/conversations/${encodeURIComponent(id)}`;
}

async function exportConversation({ id, title }) {
  const response = await request(`${pathOf(id)}/export`);
  const address = URL.createObjectURL(await response.blob());
  const name = (title || id).replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, " ").trim();
  h("a", { href: address, download: `${name}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function moveInMenu(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const entries = [...event.currentTarget.children];
  entries.at((entries.indexOf(document.activeElement) + step) % entries.length).focus();
}

function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.min(at.left, innerWidth - width - 8)}px`;
  menu.style.top = `${at.bottom + height + 8 > innerHeight ? at.top - height - 4 : at.bottom + 4}px`;
}
