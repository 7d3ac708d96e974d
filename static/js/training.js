// The form for a new run: the row of data that is chosen, and folds only where they count.

const form = document.getElementById("start");

function show() {
  const { split, policy, fold_scheme: scheme, folds } = form.elements;
  for (const row of document.querySelectorAll("#available tbody tr")) {
    row.classList.toggle("is-chosen", row.dataset.split === split.value && row.dataset.policy === policy.value);
  }
  // Read-only, not disabled: a disabled field would not be sent, and the form asks for it.
  folds.readOnly = scheme.value === "leave-one-group-out";
}

form.addEventListener("change", show);
show();
