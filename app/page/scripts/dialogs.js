/** The three questions the page asks: sure?, what title?, which token? */

import { h } from "./dom.js";

/** Whether the reader agrees to something that cannot be undone; `action` is the key of the button's text. */
export async function confirmAction(title, body, action) {
  return (await ask({ title, body, action, danger: true })) !== null;
}

/** The text the reader gives, or null. */
export function askForText(title, label, value) {
  return ask({ title, label, value, action: "action.save", type: "text" });
}

/** The token the reader gives, or null. */
export function askForToken() {
  const type = "password";
  return ask({ title: "token.title", body: "token.body", label: "token.label", value: "", action: "token.use", type });
}

function ask({ title, body, label, value, action, type, danger }) {
  const heading = h("h2", { id: "dialog-title", t: title });
  const input =
    label &&
    h("input", { type, id: "dialog-input", required: true, autocomplete: "off", maxlength: type === "text" && 200 });
  const accept = h("button", { class: danger ? "danger" : "primary", t: action });
  const cancel = h("button", { type: "button", class: "quiet", t: "action.cancel", onclick: () => dialog.close() });
  const form = h(
    "form",
    {},
    heading,
    body && h("p", { t: body }),
    label && h("label", { for: "dialog-input", t: label }),
    input,
    h("div", { class: "dialog-actions" }, cancel, accept),
  );
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let answer = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer = input ? input.value.trim() : "";
      dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(input && answer === "" ? null : answer);
    });
    if (input) input.value = value;
    dialog.showModal();
    (input || cancel).focus();
    if (input) input.select();
  });
}
