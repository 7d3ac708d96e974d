// Choosing from a list: one box for all that are shown, and how many are chosen. The form works without this.

const boxes = () => [...document.querySelectorAll("#chosen-form input[name=videos]:not(:disabled)")];

function show() {
  const words = document.getElementById("n-chosen");
  if (!words) return;
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  words.textContent = `${chosen} of ${all.length} chosen`;
  const whole = document.getElementById("choose-all");
  whole.hidden = all.length === 0;
  whole.checked = chosen > 0 && chosen === all.length;
  whole.indeterminate = chosen > 0 && chosen < all.length;
}

document.addEventListener("change", (event) => {
  if (event.target.id === "choose-all") for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.closest("#chosen-form")) show();
});

// The link chooses all or none without loading the page, which would forget other choices on this page.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".list__all");
  if (!link) return;
  event.preventDefault();
  const every = boxes().some((box) => !box.checked);
  for (const box of boxes()) box.checked = every;
  show();
});

document.addEventListener("htmx:afterSwap", show);

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "listed" && document.hidden) event.preventDefault();
});

show();
