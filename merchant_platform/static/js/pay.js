// The checkout page moves by itself: what is here improves a page that works without it.

const HOUR = 3600;

function countDown() {
  const place = document.querySelector(".pay-countdown");
  if (!place) return;
  const end = performance.now() / 1000 + Number(place.dataset.seconds);
  const show = () => {
    const left = Math.max(0, Math.round(end - performance.now() / 1000));
    place.hidden = left >= HOUR || left === 0;
    place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) setTimeout(show, 1000);
  };
  show();
}

// A form is sent once, however often its button is pressed.
function sendOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = form.querySelector("[data-busy]");
    if (!button) return; // Small steps on the way say nothing of it.
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
      if (!button) continue;
      button.removeAttribute("aria-disabled");
      button.querySelector("span").textContent = button.dataset.words;
    }
  });
}

// After paying: back to the merchant by itself, unless the payer wants to stay.
function goBack() {
  const place = document.querySelector("[data-return]");
  if (!place || !place.hidden) return;
  place.hidden = false;
  let left = Number(place.dataset.seconds);
  const shown = place.querySelector("[data-left]");
  const timer = setInterval(() => {
    left -= 1;
    shown.textContent = String(left);
    if (left === 0) {
      clearInterval(timer);
      location.assign(place.dataset.return);
    }
  }, 1000);
  const stay = () => {
    clearInterval(timer);
    place.hidden = true;
  };
  place.querySelector("[data-stay]").addEventListener("click", stay);
  document.addEventListener("click", (event) => event.target.closest("a") && stay());
}

// Card numbers in groups of four, the date with its stroke, as they stand on the card.
function groupDigits() {
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.selectionStart !== field.value.length) return;
    const digits = field.value.replace(/\D/g, "");
    if (field.name === "number") {
      const groups = /^3[47]/.test(digits) ? /^(\d{0,4})(\d{0,6})(\d{0,5})/ : /^(\d{0,4})(\d{0,4})(\d{0,4})(\d{0,7})/;
      field.value = digits.match(groups).slice(1).filter(Boolean).join(" ");
    }
    if (field.name === "expiry" && event.inputType !== "deleteContentBackward") {
      field.value = digits.length >= 2 ? `${digits.slice(0, 2)} / ${digits.slice(2, 4)}` : digits;
    }
  });
}

countDown();
sendOnce();
goBack();
groupDigits();
document.body.addEventListener("htmx:afterSwap", () => {
  document.querySelector("#stage-title")?.focus();
  goBack();
});
