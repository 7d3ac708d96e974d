// The form for a new run: the row of data that is chosen, and what the chosen recipe stands for.

const form = document.getElementById("start");
const recipes = JSON.parse(document.getElementById("recipe-words").textContent);

function showData() {
  const { split, policy } = form.elements;
  for (const row of document.querySelectorAll("#available tbody tr")) {
    row.classList.toggle("is-chosen", row.dataset.split === split.value && row.dataset.policy === policy.value);
  }
}

// "As in the recipe" becomes the recipe's own value; the field still sends nothing.
function showRecipe() {
  for (const [name, words] of Object.entries(recipes[form.elements.recipe.value] ?? {})) {
    const field = form.elements[name];
    if (field.tagName === "SELECT") field.options[0].textContent = `Recipe: ${words}`;
    else field.placeholder = `Recipe: ${words}`;
  }
}

function show() {
  showData();
  showRecipe();
}

form.addEventListener("change", show);
show();
