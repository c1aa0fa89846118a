// Copy buttons: hidden in the page, shown where the clipboard can be written.

const SHOWN_MS = 2000;

const texts = {
  ".snippet-copy": (button) => button.closest(".snippet").querySelector("pre").textContent.trimEnd() + "\n",
  ".copy": (button) => button.dataset.copy,
};

for (const [kind, text] of Object.entries(texts)) {
  if (!navigator.clipboard) break;
  for (const button of document.querySelectorAll(kind)) {
    const hasWords = !button.hasAttribute("aria-label");
    const label = hasWords ? button.textContent : button.getAttribute("aria-label");
    const say = (words) => {
      if (hasWords) button.textContent = words;
      else button.setAttribute("aria-label", words);
    };
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text(button));
      say(button.dataset.copied);
      button.classList.add("is-done");
      setTimeout(() => {
        say(label);
        button.classList.remove("is-done");
      }, SHOWN_MS);
    });
  }
}
