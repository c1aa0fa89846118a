// The dashboard's frame: what is here improves pages that work without it.

// Menus and sheets close by Esc and by a press elsewhere.
function closeMenus() {
  const open = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      // The backdrop is the dialog itself.
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
}

// A link with `data-drawer` opens its page's content beside this page; without a program, the page itself.
function openDrawers() {
  const drawer = document.getElementById("drawer");
  const body = drawer.querySelector(".drawer-body");
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-drawer]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const response = await fetch(link.href).catch(() => null);
    // Somewhere else is a step-up or a sign-in: it needs the whole window.
    if (!response || !response.ok || response.redirected) {
      location.assign(link.href);
      return;
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main");
    drawer.querySelector("#drawer-title").textContent = page.querySelector("h1").textContent;
    for (const frame of page.querySelectorAll(".page-head, .toasts")) frame.remove();
    body.replaceChildren(...page.childNodes);
    htmx.process(body);
    drawer.showModal();
    const first = body.querySelector(".input, input:not([type=hidden]), select, textarea, button");
    if (first) first.focus();
  });
}

function dismissToasts() {
  for (const button of document.querySelectorAll("[data-dismiss]")) {
    button.hidden = false;
    button.addEventListener("click", () => button.parentElement.remove());
  }
}

// Where one of two ways is chosen (`data-ways`), typing into the fields of one chooses it.
function chooseByTyping() {
  document.addEventListener("input", (event) => {
    const way = event.target.closest("[data-ways] fieldset");
    const choice = way && way.querySelector("legend input[type=radio]");
    if (choice && choice !== event.target && event.target.value) choice.checked = true;
  });
}

// A form is sent once, however often its button is pressed.
function sendOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    else form.dataset.sent = "yes";
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
}

// A fragment that did not come says so, and can be asked for again.
function tellTrouble() {
  const template = document.getElementById("trouble");
  const show = ({ detail }) => {
    const { elt, target } = detail;
    if (target.closest(".top-bar")) return;
    const words = template.content.cloneNode(true);
    words.querySelector("button").addEventListener("click", () => htmx.trigger(elt, elt.dataset.again || "look"));
    target.replaceChildren(words);
  };
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, show);
}

// A page that is long on its way: after a moment a line says that it comes.
function showProgress() {
  const PATIENCE_MS = 400;
  let timer = 0;
  addEventListener("beforeunload", () => {
    timer = setTimeout(() => {
      const line = document.createElement("div");
      line.className = "progress-line";
      document.body.append(line);
    }, PATIENCE_MS);
  });
  addEventListener("pageshow", () => {
    clearTimeout(timer);
    document.querySelector(".progress-line")?.remove();
  });
}

// Another language or theme loads the page again: what is typed in its forms stays, but for secrets and files.
function keepTyped() {
  const KEY = "typed";
  const LEFT_OUT = ["hidden", "password", "file", "submit", "select-multiple"];
  const here = location.pathname + location.search;
  const fields = () =>
    [...document.querySelectorAll("main form[method=post] :is(input, select, textarea)")].filter(
      (field) => !LEFT_OUT.includes(field.type) && field.autocomplete !== "one-time-code",
    );
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const kept = JSON.parse(sessionStorage.getItem(KEY) || "{}");
  sessionStorage.removeItem(KEY);
  if (kept.here === here && kept.values.length === fields().length) {
    for (const [position, field] of fields().entries()) {
      field[isTicked(field) ? "checked" : "value"] = kept.values[position];
    }
  }
  for (const form of document.querySelectorAll("form.language, form.theme")) {
    form.addEventListener("submit", () => {
      const values = fields().map((field) => (isTicked(field) ? field.checked : field.value));
      sessionStorage.setItem(KEY, JSON.stringify({ here, values }));
    });
  }
}

closeMenus();
closeDialogs();
openDrawers();
dismissToasts();
chooseByTyping();
sendOnce();
tellTrouble();
showProgress();
keepTyped();
