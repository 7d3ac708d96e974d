// The corpus: how much of an upload is sent, and not polling while nobody looks.

import "./until.js";

const words = (part, whole) => `${Math.floor((100 * part) / whole)} % of ${(whole / 2 ** 20).toFixed(1)} MB sent`;

document.addEventListener("htmx:xhr:progress", (event) => {
  const form = event.target.closest("#upload-form");
  if (!form || !event.detail.lengthComputable) return;
  const { loaded, total } = event.detail;
  const bar = form.querySelector(".upload__bar");
  bar.hidden = false;
  bar.value = (100 * loaded) / total;
  form.querySelector(".upload__words").textContent = loaded < total ? words(loaded, total) : "Sent. Checking the file …";
});

// A refused upload comes back as the form with its errors; 507 says that a disk is full.
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([422, 507].includes(event.detail.xhr.status) && event.detail.target.id === "upload-form") {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.elt.id === "upload-form") event.detail.elt.querySelector(".errorlist")?.scrollIntoView({ block: "center" });
});

document.addEventListener("htmx:sendError", (event) => {
  const form = event.target.closest("#upload-form");
  if (form) form.querySelector(".upload__words").textContent = "The connection was lost. Try again.";
});

// A body that the server refuses before reading it; the form stays as it is.
document.addEventListener("htmx:responseError", (event) => {
  const form = event.target.closest("#upload-form");
  if (!form || ![408, 411, 413].includes(event.detail.xhr.status)) return;
  form.querySelector(".upload__bar").hidden = true;
  form.querySelector(".upload__words").textContent = event.detail.xhr.responseText;
});

// The tab of the address bar's #add opens the panel.
if (window.location.hash === "#add") document.getElementById("add").open = true;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "videos-table" && document.hidden) event.preventDefault();
});
