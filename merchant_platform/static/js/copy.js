// Copy buttons: hidden in the page, shown where the clipboard can be written.

const SHOWN_MS = 2000;

for (const button of document.querySelectorAll(".snippet-copy")) {
  if (!navigator.clipboard) break;
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const program = button.closest(".snippet").querySelector("pre");
    await navigator.clipboard.writeText(program.textContent.trimEnd() + "\n");
    button.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = label;
    }, SHOWN_MS);
  });
}
