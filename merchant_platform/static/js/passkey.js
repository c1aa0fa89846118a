// What allauth's script would only write to the console is told on the page.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const trouble = document.getElementById("passkey_trouble");
  if (trouble) {
    trouble.hidden = false;
  }
});
