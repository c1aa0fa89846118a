// The list of payments: tick all rows of the page, and say how many are ticked.

for (const form of document.querySelectorAll("[data-selection]")) {
  const all = form.querySelector("[data-select-all]");
  const boxes = [...form.querySelectorAll("input[name=selected]")];
  const count = form.querySelector("[data-selected-count]");
  const bar = form.querySelector(".bulk-bar");

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    count.textContent = ticked ? `${ticked} / ${boxes.length}` : "";
    bar.classList.toggle("is-open", ticked > 0);
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  };

  all.hidden = false;
  form.dataset.counts = "yes";
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  form.addEventListener("change", tell);
  // A page that one comes back to keeps its ticks.
  addEventListener("pageshow", tell);
  tell();
}
