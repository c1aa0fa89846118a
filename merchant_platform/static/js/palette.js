// The palette: one field that finds objects, pages and actions, by keyboard alone (the combobox pattern of ARIA).
// What is found comes from the server as a fragment; htmx asks for it as the text changes.

const palette = document.getElementById("palette");
const field = palette.querySelector("[role=combobox]");
const list = document.getElementById(field.getAttribute("aria-controls"));

const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];

function select(option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function move(by) {
  const all = options();
  if (!all.length) return;
  const now = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  select(all[(now + by + all.length) % all.length]);
}

export function openPalette() {
  if (palette.open) return;
  field.value = "";
  palette.showModal();
  htmx.trigger(field, "look");
}

field.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Home" && !field.value) select(options()[0]);
  else if (event.key === "End" && !field.value) select(options().at(-1));
  else if (event.key === "Enter") list.querySelector('[aria-selected="true"]')?.click();
  else return;
  event.preventDefault();
});

list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]:not([aria-disabled])");
  if (option) palette.close();
});

list.addEventListener("htmx:afterSwap", () => {
  field.setAttribute("aria-expanded", String(options().length > 0));
  select(options()[0]);
});
