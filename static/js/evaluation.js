// Draws the figures of the evaluation pages in the page's own colours, and again when the colour scheme changes.

/* global Plotly */

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

// The colour that a token has now; the browser resolves light-dark() only in a property that takes a colour.
function colour(token) {
  probe.style.color = `var(${token})`;
  return getComputedStyle(probe).color;
}

// Bars are filled palely, so that the interval drawn over them and the number in them can be read.
function pale(rgb) {
  return rgb.replace("rgb(", "rgba(").replace(")", ", 0.4)");
}

const narrow = window.matchMedia("(max-width: 40rem)");

function styled(figure) {
  const { data, layout } = structuredClone(figure);
  const ink = colour("--ink");
  const line = colour("--line");
  layout.font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: ink };
  layout.hoverlabel = { bgcolor: colour("--raised"), bordercolor: colour("--line-strong"), font: { color: ink } };
  for (const axis of [layout.xaxis, layout.yaxis]) Object.assign(axis, { gridcolor: line, linecolor: line });
  for (const trace of data) {
    if (!trace.meta?.token) continue;
    const full = colour(trace.meta.token);
    if (trace.type === "scatter") {
      trace.line = { ...trace.line, color: full };
      trace.marker = { ...trace.marker, color: full };
      if (trace.stackgroup) trace.fillcolor = pale(full);
      continue;
    }
    trace.marker = { color: pale(full), line: { color: full, width: 1 } };
    // Bars of a narrow screen are thinner than their numbers are long.
    if (narrow.matches) trace.textangle = -90;
    trace.insidetextfont = { color: ink, size: 12 };
    if (trace.error_y) trace.error_y.color = ink;
  }
  return { data, layout };
}

const figures = new Map();
for (const element of document.querySelectorAll("[data-figure]")) {
  figures.set(element, JSON.parse(document.getElementById(element.dataset.figure).textContent));
}

function draw() {
  for (const [element, figure] of figures) {
    const { data, layout } = styled(figure);
    Plotly.react(element, data, layout, { displayModeBar: false, responsive: true });
  }
}

draw();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
narrow.addEventListener("change", draw);
