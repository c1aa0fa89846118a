// Keys: `/` to the search, Ctrl or ⌘ and K to the palette, `g` and a letter to a page, `?` for this list.
// Single letters can be switched off in that list, for people whose machines type what they say.

import { openPalette } from "./palette.js";

const SWITCH = "desk-keys";
const PAUSE_MS = 1200;

const dialog = document.getElementById("keys");
const choice = dialog.querySelector("input[type=checkbox]");
const field = document.getElementById("search");
let before = "";
let timer = 0;

const isOn = () => localStorage.getItem(SWITCH) !== "off";

function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function go(keys) {
  const link = document.querySelector(`.sidebar-nav [data-keys="${CSS.escape(keys)}"]`);
  if (link) location.assign(link.href);
  return Boolean(link);
}

document.addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
  if (!isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  clearTimeout(timer);
  const keys = before ? `${before} ${event.key}` : event.key;
  before = "";
  if (event.key === "/") {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "?") {
    event.preventDefault();
    dialog.showModal();
  } else if (keys.includes(" ") && go(keys)) {
    event.preventDefault();
  } else if (keys === "g") {
    before = keys;
    timer = setTimeout(() => (before = ""), PAUSE_MS);
  }
});

field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") field.blur();
});

choice.checked = isOn();
choice.addEventListener("change", () => localStorage.setItem(SWITCH, choice.checked ? "on" : "off"));

for (const button of document.querySelectorAll("[data-open]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const opened = button.dataset.open;
    if (opened === "palette") openPalette();
    else document.getElementById(opened).showModal();
  });
}
