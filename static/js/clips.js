// Plays the clips of a list, one at a time: a link with data-clip starts its clip, and stops it when pressed again.

const clip = new Audio();
const status = document.getElementById("clip-status");
let playing = null;

function stop() {
  clip.pause();
  playing?.closest("tr").classList.remove("is-playing");
  playing?.removeAttribute("aria-current");
  playing = null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-clip]");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const again = link === playing;
  stop();
  status.textContent = "";
  status.classList.add("visually-hidden");
  if (again) return;
  playing = link;
  link.closest("tr").classList.add("is-playing");
  link.setAttribute("aria-current", "true");
  clip.src = link.href;
  clip.play().catch((error) => {
    if (error.name === "AbortError") return;
    stop();
    status.textContent = "This clip could not be played. Reload the page and try again.";
    status.classList.remove("visually-hidden");
  });
});

clip.addEventListener("ended", stop);
