// Needs nodes.js, display.js, runs_plot.js. Reads value, words.
/* A race: its lanes on one plot, what each has reached, and what it shows in the end. */

const status = make("p", "tl-race-status", null, { role: "status" });
const plot = buildRunsPlot(["seconds", "epoch"], () => render());
const lanes = make("ul", "tl-race-lanes");
const verdict = make("div", "tl-race-verdict");
root.append(status, plot.axis, plot.node, lanes, verdict);

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
  const rows = value().lanes || [];
  setText(status, value().status);
  show(status, value().status);
  for (const node of [plot.axis, plot.node, lanes]) show(node, rows.length);
  keepInStep(lanes, rows, (lane) => lane.run, buildLane, renderLane);
  keepInStep(verdict, value().verdict || [], (sentence) => sentence, () => make("p"), setRich);
  plot.draw(rows.map((lane, index) => ({ ...lane, key: lane.run, colour: index })), words());
}

watch("value", render);
render();
