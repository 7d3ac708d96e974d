// The form for a new run: the row of data that is chosen.

const form = document.getElementById("start");

function show() {
  const { split, policy } = form.elements;
  for (const row of document.querySelectorAll("#available tbody tr")) {
    row.classList.toggle("is-chosen", row.dataset.split === split.value && row.dataset.policy === policy.value);
  }
}

form.addEventListener("change", show);
show();
