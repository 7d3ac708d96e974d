// What every page shares: closing the user menu, and telling when a fragment could not be loaded.

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.user-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.user-menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// A file that is too large is refused before it is sent, so that nothing else on the form is lost.
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;

document.addEventListener("change", (event) => {
  const input = event.target;
  if (input.type !== "file" || !input.dataset.maxBytes) return;
  const size = input.files[0]?.size ?? 0;
  const most = Number(input.dataset.maxBytes);
  input.setCustomValidity(size > most ? `The file has ${megabytes(size)}; at most ${megabytes(most)} are accepted.` : "");
  if (size > most) input.reportValidity();
});
