// The listening room: plays the clip with its waveform, votes by keys, and measures how much was heard.
// The server swaps #room for the next segment; everything here hangs on #listen, which stays.

import WaveSurfer from "../vendor/wavesurfer.esm.js";

const listen = document.getElementById("listen");
const status = document.getElementById("listen-status");
const WAVE_HEIGHT_PX = 176;

let player = null;
let shown = null;

function say(sentence) {
  status.textContent = sentence;
}

/** Share of the clip that was played at least once, from the ranges the media element keeps. */
function heardShare(audio) {
  if (!Number.isFinite(audio.duration) || audio.duration <= 0) return 0;
  let heard = 0;
  for (let i = 0; i < audio.played.length; i += 1) heard += audio.played.end(i) - audio.played.start(i);
  return Math.min(1, heard / audio.duration);
}

function waveColours(wave) {
  const style = getComputedStyle(wave);
  return { waveColor: style.color, progressColor: style.caretColor, cursorColor: style.caretColor };
}

class Player {
  constructor(room, autoplay) {
    this.room = room;
    this.shownAt = performance.now();
    this.renewedAt = this.shownAt;
    this.abort = new AbortController();
    this.audio = room.querySelector("audio");
    this.button = room.querySelector(".clip__play");
    this.wave = room.querySelector(".clip__wave");
    this.length = room.querySelector(".clip__length");
    this.now = room.querySelector(".clip__now");
    this.surfer = WaveSurfer.create({
      container: this.wave,
      media: this.audio,
      height: WAVE_HEIGHT_PX,
      sampleRate: 16000,
      normalize: true,
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      cursorWidth: 2,
      dragToSeek: true,
      cspNonce: listen.dataset.styleNonce,
      ...waveColours(this.wave),
    });
    this.button.addEventListener("click", () => (this.audio.paused ? this.play() : this.audio.pause()));
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.showState());
    this.audio.addEventListener("timeupdate", () => this.showTime());
    this.showState();
    this.load(autoplay);
  }

  async load(autoplay) {
    try {
      const answer = await fetch(this.room.dataset.clip, { signal: this.abort.signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      await this.surfer.loadBlob(await answer.blob());
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.room.classList.add("room--plain");
      say("This clip could not be loaded. Reload the page, or skip the segment.");
      return;
    }
    this.length.textContent = this.audio.duration.toFixed(1);
    this.room.dataset.ready = "true";
    if (autoplay) this.play();
  }

  play() {
    // Where the browser wants a gesture first, the play button stays as it is.
    this.audio.play().catch(() => this.showState());
  }

  replay() {
    this.audio.currentTime = 0;
    this.play();
  }

  showState() {
    const playing = !this.audio.paused && !this.audio.ended;
    this.button.classList.toggle("clip__play--playing", playing);
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
    this.showTime();
  }

  showTime() {
    this.now.textContent = this.audio.currentTime.toFixed(1);
  }

  measure(form) {
    form.elements.time_spent_ms.value = Math.round(performance.now() - this.shownAt);
    form.elements.heard_share.value = heardShare(this.audio).toFixed(4);
  }

  /** Keep the place while its listener is active; a page left open gives it up. */
  async renew() {
    if (performance.now() - this.renewedAt < Number(this.room.dataset.renewEveryMs)) return;
    this.renewedAt = performance.now();
    const token = this.room.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(this.room.dataset.renew, { method: "POST", headers: { "X-CSRFToken": token } }).catch(() => null);
    if (answer?.status === 409) say(await answer.text());
  }

  destroy() {
    this.abort.abort();
    this.audio.pause();
    this.surfer.destroy();
  }
}

function open(autoplay) {
  player?.destroy();
  player = null;
  const room = document.getElementById("room");
  if (room?.dataset.clip) player = new Player(room, autoplay);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.target.closest("input, textarea, select, .user-menu")) return;
  player?.renew();
  if (event.key === " ") {
    // On a button or a link the space key keeps its own meaning.
    if (event.target.closest("button, a, summary")) return;
    event.preventDefault();
    player?.replay();
    return;
  }
  const button = listen.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (button && !button.disabled) {
    event.preventDefault();
    button.click();
  }
});

document.addEventListener("pointerdown", () => player?.renew());

// Before htmx reads the form (and before a plain submission), in the capture phase.
document.addEventListener(
  "submit",
  (event) => {
    if (event.target.matches(".votes")) player?.measure(event.target);
  },
  true,
);

listen.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400 && !event.detail.serverResponse.includes('id="room"')) {
    event.detail.shouldSwap = false; // signed out meanwhile: the whole page has to change
    window.location.reload();
  }
});

listen.addEventListener("htmx:afterSwap", () => {
  const room = document.getElementById("room");
  if (room === shown) return;
  shown = room;
  room.focus({ preventScroll: true });
  say(room.dataset.clip ? "Next segment." : "");
  open(navigator.userActivation?.hasBeenActive ?? true);
});

listen.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  const isSentence = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
  say(isSentence ? xhr.responseText : "That did not work. Reload the page and try again.");
});

listen.addEventListener("htmx:sendError", () => say("The server cannot be reached. Your vote was not counted; try again."));

window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (player) player.surfer.setOptions(waveColours(player.wave));
});

open(false);
