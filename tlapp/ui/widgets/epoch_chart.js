// Needs nodes.js, plot.js.
/* A chart by epoch: lines, batches, phases, best epoch, cursor. It draws; run_view.js decides what and when. */

const MOST_POINTS = 300; // more than a chart has pixels for

/** The parts of a chart. Each of the lines has a key (of its series), a style and a dot (class names). */
function buildChart(kind, lines) {
  const figure = make("figure", "tl-run-figure tl-run-" + kind);
  const caption = buildCaption();
  const plot = buildPlot();
  const add = (tag, className, attributes) => plot.add(tag, { class: className, ...attributes });
  const band = add("rect", "tl-run-band");
  const best = { line: add("line", "tl-run-best") };
  const batches = add("path", "tl-run-batches");
  const phases = plot.add("g");
  const ghost = add("path", "tl-run-ghost");
  const paths = lines.map((line) => add("path", "tl-run-line " + line.style));
  const cursor = add("line", "tl-run-cursor");
  const dots = lines.map((line) => add("circle", "tl-run-dot " + line.dot, { r: 4 }));
  best.dot = add("circle", "tl-run-best-dot", { r: 4.5 });
  best.text = add("text", "tl-run-best-text");
  const empty = make("p", "tl-run-empty");
  const tip = make("div", "tl-run-tip", null, { hidden: "" });
  plot.node.append(empty, tip);
  const summary = make("p", "tl-hidden", null, { id: freshId("tl-chart") });
  figure.append(caption.node, plot.node, summary);
  return { kind, lines, figure, caption, plot, band, best, batches, phases, ghost, paths, cursor, dots, empty, tip, summary,
    at: null };
}

/** The value at an epoch that may lie between two. */
function valueAt(values, epoch) {
  const low = values[Math.floor(epoch) - 1];
  const high = values[Math.ceil(epoch) - 1];
  if (!isNumber(low) || !isNumber(high)) return isNumber(low) && epoch % 1 === 0 ? low : null;
  return low + (high - low) * (epoch - Math.floor(epoch));
}

/** The path through the first `shown` epochs (a fraction ends between two), thinned. */
function pathOf(values, shown, at) {
  const whole = Math.min(values.length, Math.floor(shown + 1e-9));
  const stride = Math.max(1, Math.ceil(whole / MOST_POINTS));
  const epochs = [];
  for (let epoch = 1; epoch <= whole; epoch += stride) epochs.push(epoch);
  if (whole && (whole - 1) % stride) epochs.push(whole);
  const points = epochs.map((epoch) => [epoch, values[epoch - 1]]);
  if (shown > whole && isNumber(valueAt(values, shown))) points.push([shown, valueAt(values, shown)]);
  return pathThrough(points.map(([epoch, each]) => (isNumber(each) ? [at.x(epoch), at.y(each)] : null)));
}

/** The usual shape of a curve, to say without words what will be drawn in an empty chart. */
function ghostPath(kind, at) {
  const high = at.bottom - EDGE.top;
  return pathThrough(Array.from({ length: 41 }, (_, index) => {
    const fall = Math.exp((-5 * index) / 40);
    const y = at.bottom - high * (kind === "loss" ? 0.14 + 0.8 * fall : 0.86 - 0.72 * fall);
    return [EDGE.left + (at.inner * index) / 40, y];
  }));
}

/** Beside an upright line, on the side where there is more room: where a text begins or ends. */
function beside(x, gap, at) {
  const isLeft = x < EDGE.left + at.inner / 2;
  return { x: isLeft ? x + gap : x - gap, "text-anchor": isLeft ? "start" : "end" };
}

/** A line before the first epoch of each later phase, with a word beside the first of them. */
function drawPhases(chart, view, at) {
  const starts = view.isEmpty ? [] : view.phaseStarts.filter((epoch) => epoch <= view.shown + 1);
  keepInStep(chart.phases, starts, (epoch) => epoch, () => {
    const group = makeSvg("g");
    group.append(makeSvg("line", { class: "tl-run-phase" }), makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }, (group, epoch, index) => {
    const x = at.x(epoch - 0.5);
    place(group.firstChild, upright(x, 2, at.bottom));
    place(group.lastChild, { ...beside(x, 4, at), y: 12 });
    setText(group.lastChild, index ? "" : view.phaseWord);
  });
}

/** Where a word between two places (pixels) hides the least of the curves: its baseline. */
function roomiestLine(chart, view, at, left, right) {
  const [from, to] = [left, right].map((x) => Math.min(Math.max(1, at.xAt(x)), view.shown));
  const epochs = [from, to];
  for (let epoch = Math.ceil(from); epoch < to; epoch += 1) epochs.push(epoch);
  for (let part = 1; part < 8; part += 1) epochs.push(from + ((to - from) * part) / 8);
  const crossed = chart.lines.flatMap((line) => epochs
    .map((epoch) => valueAt(view.series[line.key] || [], epoch))
    .filter(isNumber).map(at.y));
  const roomOf = (y) => Math.min(Infinity, ...crossed.map((each) => Math.abs(each - (y - 4)))); // its middle
  const places = Array.from({ length: 7 }, (_, index) => at.bottom - 8 - ((at.bottom - EDGE.top - 20) * index) / 6);
  return places.find((y) => roomOf(y) >= 14) ?? places.reduce((best, y) => (roomOf(y) > roomOf(best) ? y : best));
}

function drawBest(chart, view, at) {
  const values = view.series[chart.lines.at(-1).key] || [];
  const share = view.best && view.best <= view.shown ? values[view.best - 1] : null;
  const x = at.x(view.best);
  drawMark(chart.best, isNumber(share) ? { x, y: at.y(share), top: at.y(share), bottom: at.bottom, word: view.bestWord } : null);
  if (!isNumber(share)) return;
  const text = beside(x, 6, at);
  const end = text["text-anchor"] === "start" ? 1 : -1;
  const far = x + end * (6 + chart.best.text.getComputedTextLength());
  place(chart.best.text, { ...text, y: roomiestLine(chart, view, at, Math.min(x, far), Math.max(x, far)) });
}

function drawLines(chart, view, at) {
  const dotEpoch = view.cursor ?? (view.isLive ? view.shown : null);
  chart.lines.forEach((line, index) => {
    const values = view.series[line.key] || [];
    place(chart.paths[index], { d: pathOf(values, view.shown, at) });
    const dotValue = dotEpoch ? valueAt(values, Math.min(dotEpoch, view.shown)) : null;
    appear(chart.dots[index], isNumber(dotValue));
    if (isNumber(dotValue)) place(chart.dots[index], { cx: at.x(dotEpoch), cy: at.y(dotValue) });
  });
  const points = (view.batches || []).filter(([epoch, loss]) => isNumber(epoch) && isNumber(loss));
  place(chart.batches, { d: pathThrough(points.map(([epoch, loss]) => [at.x(epoch), at.y(Math.min(loss, view.top))])) });
}

/** Bring the picture in line with `view`; see `draw` in run_view.js. */
function drawChart(chart, view) {
  const at = scalePlot(chart.plot, [view.first, view.last], [0, view.top]);
  if (!at) return;
  chart.at = at;
  const levels = view.isEmpty ? [0, view.top] : view.ticks;
  const epochs = view.isEmpty ? [] : epochTicks(Math.ceil(view.first), Math.round(view.last), at.inner);
  drawAxes(chart.plot, at, {
    levels: levels.map((level) => ({ value: level, text: view.isEmpty ? "" : view.format(level) })),
    ticks: epochs.map((epoch) => ({ value: epoch, text: epoch })),
    unit: view.isEmpty ? null : view.epochWord,
  });
  drawPhases(chart, view, at);
  appear(chart.ghost, view.isEmpty);
  if (view.isEmpty) place(chart.ghost, { d: ghostPath(chart.kind, at) });
  drawLines(chart, view, at);
  appear(chart.band, view.interval);
  if (view.interval) {
    const [bottom, top] = view.interval.map(at.y);
    place(chart.band, { x: EDGE.left, width: at.inner, y: top, height: bottom - top });
  }
  drawBest(chart, view, at);
  appear(chart.cursor, view.cursor);
  if (view.cursor) place(chart.cursor, upright(at.x(view.cursor), EDGE.top, at.bottom));
}
