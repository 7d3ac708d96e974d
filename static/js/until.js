// Moments to come, written in the time zone of whoever reads them.

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

function words(moment) {
  const days = Math.round((new Date(moment).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 86400000);
  const before = days === 0 ? "" : days === 1 ? "tomorrow " : `${day.format(moment)} `;
  return before + clock.format(moment);
}

function write() {
  for (const time of document.querySelectorAll("time[data-until]")) time.textContent = words(new Date(time.dateTime));
}

write();
document.addEventListener("htmx:afterSwap", write);
