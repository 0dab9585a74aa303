/* A race: its lanes on one plot, what each has reached, and what it shows in the end. */

const root = element.querySelector(".tl-race");
const words = () => props.words || {};

const status = make("p", "tl-race-status", null, { role: "status" });
const axis = make("div", "tl-lad-presets", null, { role: "group" });
const bySeconds = make("button", "tl-lad-preset", null, { type: "button" });
const byEpoch = make("button", "tl-lad-preset", null, { type: "button" });
axis.append(bySeconds, byEpoch);
const plot = buildLinesPlot();
const lanes = make("ul", "tl-race-lanes");
const verdict = make("div", "tl-race-verdict");
root.append(status, axis, plot.node, lanes, verdict);

let isByEpoch = false;

const laneRows = () => (props.value && props.value.lanes) || [];

const drawPlot = () => plot.draw(laneRows().map((lane, index) => ({
  key: lane.run, colour: index, accuracies: lane.accuracies, seconds: lane.seconds, best: lane.best,
})), isByEpoch);

function buildLane() {
  const item = make("li");
  item.append(make("i", "tl-runs-swatch", null, { "aria-hidden": "true" }), make("b"), make("span", "tl-race-figure"),
    make("span", "tl-race-note"));
  return item;
}

function renderLane(item, lane, index) {
  const [swatch, name, figure, note] = item.children;
  swatch.className = "tl-runs-swatch tl-c" + index;
  item.classList.toggle("tl-race-winner", Boolean(lane.is_winner));
  setText(name, lane.title);
  setText(figure, lane.figure);
  setText(note, lane.note);
}

function render() {
  const value = props.value || {};
  const some = laneRows().length > 0;
  setText(status, value.status);
  show(status, value.status);
  for (const node of [axis, plot.node, lanes]) show(node, some);
  setText(bySeconds, words().by_seconds);
  setText(byEpoch, words().by_epoch);
  bySeconds.setAttribute("aria-pressed", String(!isByEpoch));
  byEpoch.setAttribute("aria-pressed", String(isByEpoch));
  axis.setAttribute("aria-label", words().axis);
  plot.node.setAttribute("aria-label", words().plot);
  keepInStep(lanes, laneRows(), (lane) => lane.run, buildLane, renderLane);
  keepInStep(verdict, value.verdict || [], (sentence) => sentence, () => make("p"), setRich);
  drawPlot();
}

for (const [button, wanted] of [[byEpoch, true], [bySeconds, false]]) {
  button.addEventListener("click", () => { isByEpoch = wanted; render(); });
}
new ResizeObserver(drawPlot).observe(plot.node);
watch("value", render);
render();
