// The wallet works without this; what is here improves it.

// A phone keeps the frame of the wallet, and says so itself when there is no connection.
const worker = document.querySelector("script[data-worker]")?.dataset.worker;
if (worker && "serviceWorker" in navigator) navigator.serviceWorker.register(worker);

// Ready amounts fill the field in.
for (const row of document.querySelectorAll("[data-amounts]")) {
  row.hidden = false;
  row.addEventListener("click", (event) => {
    const button = event.target.closest("[data-amount]");
    if (!button) return;
    const field = row.closest("form").elements.amount;
    field.value = button.dataset.amount;
    field.focus();
  });
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  const button = form.querySelector("[data-busy]");
  button.setAttribute("aria-disabled", "true");
  const words = button.querySelector("span");
  button.dataset.words = words.textContent;
  words.textContent = button.dataset.busy;
});

// Who comes back by the browser's own button finds the form as it was.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("[data-once][data-sent]")) {
    delete form.dataset.sent;
    const button = form.querySelector("[data-busy]");
    button.removeAttribute("aria-disabled");
    button.querySelector("span").textContent = button.dataset.words;
  }
});
