// One video: the whole recording as a waveform, the map of its segments, and playing exactly one of them.

import "./until.js";
import WaveSurfer from "../vendor/wavesurfer.esm.js";

const player = document.getElementById("player");

document.addEventListener("crossmodal:changed", () => {
  // New segments or sound: show them, but never cut someone off who is listening.
  const reload = () => window.location.reload();
  const sounding = [...players].find((audio) => !audio.paused);
  if (sounding) sounding.addEventListener("pause", reload, { once: true });
  else reload();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

const recording = new Audio();
const clip = new Audio();
const players = new Set([recording, clip]);

function clock(seconds) {
  const tenths = Math.round(10 * seconds);
  const minutes = Math.floor(tenths / 600);
  const rest = `${String(Math.floor((tenths % 600) / 10)).padStart(2, "0")}.${tenths % 10}`;
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

if (player) start();

async function start() {
  const time = document.getElementById("player-time");
  const what = document.getElementById("player-what");
  const playAll = document.getElementById("play-all");
  const region = document.getElementById("wave-region");
  const head = region.querySelector(".wave__head");
  const map = document.getElementById("map");
  const segments = JSON.parse(document.getElementById("segments-map")?.textContent ?? "[]");
  const byPk = new Map(segments.map(([pk, startMs, endMs], index) => [pk, { pk, startMs, endMs, index }]));
  let durationS = Number(player.dataset.durationS) || 0;
  let current = null;

  recording.preload = "none";
  recording.src = player.dataset.audio;
  const stored = player.dataset.peaks ? await fetch(player.dataset.peaks).then((r) => (r.ok ? r.json() : null)).catch(() => null) : null;
  if (stored) durationS = stored.duration_ms / 1000;
  drawMap();
  const wave = stored ? drawWave(stored.peaks) : null;
  say();

  function drawWave(peaks) {
    const place = document.getElementById("wave");
    const colours = () => {
      const style = getComputedStyle(place);
      return { waveColor: style.color, progressColor: style.caretColor, cursorColor: style.caretColor };
    };
    const made = WaveSurfer.create({
      container: place,
      media: recording,
      // One channel of alternating extremes draws both halves of each bin.
      peaks: [peaks.map(([, high]) => high), peaks.map(([low]) => low)],
      duration: durationS,
      height: "auto",
      normalize: true,
      cspNonce: player.dataset.nonce,
      ...colours(),
    });
    made.on("interaction", (seconds) => {
      stopClip();
      leave();
      say(seconds);
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => made.setOptions(colours()));
    return made;
  }

  function drawMap() {
    if (!map || !durationS) return;
    map.setAttribute("viewBox", `0 0 ${durationS * 1000} 4`);
    map.replaceChildren(
      ...segments.map(([pk, startMs, endMs, lane]) => {
        const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        // Kept without a label and rejected share the last lane; the rejected are thin.
        const [y, height] = lane === 4 ? [3.4, 0.2] : [lane + 0.15, 0.7];
        for (const [name, value] of Object.entries({ x: startMs, width: endMs - startMs, y, height, class: `lane--${lane}`, "data-pk": pk })) {
          mark.setAttribute(name, value);
        }
        return mark;
      }),
    );
  }

  function say(seconds = recording.currentTime) {
    time.textContent = `${clock(seconds)} / ${clock(durationS)}`;
  }

  function row(pk) {
    return document.getElementById(`segment-${pk}`);
  }

  function leave() {
    if (current) {
      row(current.pk)?.classList.remove("is-current", "is-playing");
      map?.querySelector(".is-current")?.classList.remove("is-current");
    }
    current = null;
    region.hidden = true;
    what.textContent = "Whole recording";
  }

  function choose(segment) {
    leave();
    current = segment;
    map?.querySelector(`[data-pk="${segment.pk}"]`)?.classList.add("is-current");
    row(segment.pk)?.classList.add("is-current");
    what.textContent = `Segment ${clock(segment.startMs / 1000)} to ${clock(segment.endMs / 1000)}`;
    if (durationS) {
      region.style.left = `${(segment.startMs / 10 / durationS).toFixed(4)}%`;
      region.style.width = `${((segment.endMs - segment.startMs) / 10 / durationS).toFixed(4)}%`;
      head.style.left = "0";
      region.hidden = false;
    }
  }

  function stopClip() {
    clip.pause();
    document.querySelector(".segment.is-playing")?.classList.remove("is-playing");
  }

  // The server cuts the clip, so its sound starts and ends exactly with the segment.
  function play(segment) {
    const again = current?.pk === segment.pk;
    if (again && !clip.paused) return stopClip();
    recording.pause();
    stopClip();
    if (!again) choose(segment);
    clip.src = `/segments/${segment.pk}/clip`;
    clip.playbackRate = recording.playbackRate;
    row(segment.pk)?.classList.add("is-playing");
    clip.play().then(follow, (error) => {
      if (error.name === "AbortError") return;
      row(segment.pk)?.classList.remove("is-playing");
      what.textContent = "This segment could not be played. Reload the page and try again.";
    });
    return undefined;
  }

  function follow() {
    if (clip.paused || !current) return;
    const lengthS = (current.endMs - current.startMs) / 1000;
    head.style.left = `${Math.min(100, (100 * clip.currentTime) / lengthS)}%`;
    say(current.startMs / 1000 + clip.currentTime);
    requestAnimationFrame(follow);
  }

  clip.addEventListener("ended", stopClip);
  recording.addEventListener("timeupdate", () => say());
  for (const name of ["play", "pause"]) {
    recording.addEventListener(name, () => {
      playAll.setAttribute("aria-pressed", String(!recording.paused));
      playAll.querySelector(".player__word").textContent = recording.paused ? "Play" : "Pause";
    });
  }
  playAll.addEventListener("click", () => {
    stopClip();
    if (recording.paused) {
      leave();
      recording.play().catch(() => { what.textContent = "The recording could not be played. Reload the page and try again."; });
    } else recording.pause();
  });
  document.getElementById("player-speed").addEventListener("change", (event) => {
    clip.playbackRate = recording.playbackRate = Number(event.target.value);
  });

  // ---- rows

  document.addEventListener("click", (event) => {
    const inRow = event.target.closest(".segment");
    if (!inRow || event.metaKey || event.ctrlKey || String(window.getSelection())) return;
    event.preventDefault();
    play(byPk.get(Number(inRow.dataset.pk)));
  });

  map?.addEventListener("click", async (event) => {
    const box = map.getBoundingClientRect();
    const atMs = ((event.clientX - box.left) / box.width) * durationS * 1000;
    const pk = Number(event.target.dataset.pk) || nearest(atMs);
    if (!row(pk)) await turnTo(byPk.get(pk).index);
    row(pk)?.scrollIntoView({ block: "nearest" });
    row(pk)?.querySelector(".play")?.focus({ preventScroll: true });
    play(byPk.get(pk));
  });

  function nearest(atMs) {
    const away = ([, startMs, endMs]) => Math.max(startMs - atMs, atMs - endMs, 0);
    return segments.reduce((best, one) => (away(one) < away(best) ? one : best))[0];
  }

  function turnTo(index) {
    const address = new URL(player.dataset.segments, window.location.href);
    address.search = window.location.search;
    address.searchParams.delete("show");
    address.searchParams.set("page", String(Math.floor(index / Number(player.dataset.perPage)) + 1));
    return window.htmx.ajax("GET", address.pathname + address.search, { target: "#segments", swap: "outerHTML" });
  }

  document.addEventListener("htmx:afterSwap", () => {
    if (!current) return;
    row(current.pk)?.classList.add("is-current");
    row(current.pk)?.classList.toggle("is-playing", !clip.paused);
  });

  // ---- keyboard

  function step(by) {
    const rows = [...document.querySelectorAll(".segment")];
    if (!rows.length) return;
    const here = document.activeElement.closest(".segment") ?? (current && row(current.pk));
    const at = here ? rows.indexOf(here) + by : 0;
    const next = rows[Math.max(0, Math.min(rows.length - 1, at))];
    next.querySelector(".play").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, summary")) return;
    const inList = event.target.closest(".segment");
    if (event.key === "j" || (inList && event.key === "ArrowDown")) step(1);
    else if (event.key === "k" || (inList && event.key === "ArrowUp")) step(-1);
    else if (event.key === " " && inList) play(byPk.get(Number(inList.dataset.pk)));
    else if (event.key === " " && !event.target.closest("a, button")) playAll.click();
    else return;
    event.preventDefault();
  });
}
