/* One line chart by epoch: axes, lines, best epoch, cursor. It draws; run_view.js decides what and when. */

const MOST_POINTS = 300; // more than a chart has pixels for
const EDGE = { left: 40, right: 14, top: 20, bottom: 26 }; // above: the word of a phase

/** A step of 1, 2, 2.5 or 5 times a power of ten that cuts `range` into about `count` parts. */
function niceStep(range, count) {
  const rough = Math.max(range, 1e-12) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 2.5, 5, 10].find((each) => each * power >= rough * 0.999) * power;
}

/** Ticks from 0 to at least `top`, four or so; the last one is the top of the axis. */
function ticksTo(top) {
  const step = niceStep(top || 1, 4);
  const count = Math.max(1, Math.ceil((top || 1) / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Whole epochs to write under the axis: the first, the last, and round numbers between them. */
function epochTicks(first, last, width) {
  const step = Math.max(1, niceStep(last - first, Math.max(1, Math.floor(width / 60))));
  const ticks = [first];
  for (let tick = Math.ceil((first + step * 0.6) / step) * step; tick <= last - step * 0.6; tick += step) {
    ticks.push(Math.round(tick));
  }
  if (last > first) ticks.push(last);
  return [...new Set(ticks)];
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** The parts of a chart. Each of the lines has a key (of its series), a style and a dot (class names). */
function buildChart(kind, lines) {
  const figure = make("figure", "tl-run-figure tl-run-" + kind);
  const caption = make("figcaption", "tl-run-caption");
  const captionName = make("b");
  const captionNote = make("span");
  caption.append(captionName, document.createTextNode(" "), captionNote);
  const plot = make("div", "tl-run-plot");
  const svg = makeSvg("svg", { "aria-hidden": "true" });
  const layer = (className) => svg.appendChild(makeSvg("g", { class: className || "" }));
  const parts = { grid: layer(), band: layer().appendChild(makeSvg("rect", { class: "tl-run-band" })),
    best: layer(), batches: layer().appendChild(makeSvg("path", { class: "tl-run-batches" })), paths: {}, dots: {} };
  const phases = layer();
  const ghost = layer().appendChild(makeSvg("path", { class: "tl-run-ghost" }));
  const bestLine = parts.best.appendChild(makeSvg("line", { class: "tl-run-best" }));
  for (const line of lines) {
    parts.paths[line.key] = svg.appendChild(makeSvg("path", { class: "tl-run-line " + line.style }));
  }
  const cursor = svg.appendChild(makeSvg("line", { class: "tl-run-cursor" }));
  for (const line of lines) {
    parts.dots[line.key] = svg.appendChild(makeSvg("circle", { class: "tl-run-dot " + line.dot, r: 4 }));
  }
  const bestDot = svg.appendChild(makeSvg("circle", { class: "tl-run-best-dot", r: 4.5 }));
  const bestText = svg.appendChild(makeSvg("text", { class: "tl-run-best-text" }));
  const empty = make("p", "tl-run-empty");
  const tip = make("div", "tl-run-tip");
  tip.hidden = true;
  plot.append(svg, empty, tip);
  const summary = make("p", "tl-hidden");
  summary.id = freshId("tl-chart");
  figure.append(caption, plot, summary);
  return { kind, lines, figure, captionName, captionNote, plot, svg, parts, phases, ghost, bestLine, bestDot, bestText,
    cursor, empty, tip, summary, width: 0, height: 0 };
}

/** Where things stand: functions from epochs and values to pixels. */
function scalesOf(chart, view) {
  const inner = Math.max(1, chart.width - EDGE.left - EDGE.right);
  const high = Math.max(1, chart.height - EDGE.top - EDGE.bottom);
  const span = Math.max(1e-9, view.last - view.first);
  return {
    x: (epoch) => EDGE.left + (inner * (epoch - view.first)) / span,
    y: (value) => EDGE.top + high * (1 - value / view.top),
    epochAt: (pixels) => view.first + ((pixels - EDGE.left) / inner) * span,
    inner, bottom: EDGE.top + high, right: EDGE.left + inner,
  };
}

/** The path through the first `shown` epochs (a fraction ends between two), thinned. */
function pathOf(values, shown, scales) {
  const whole = Math.min(values.length, Math.floor(shown + 1e-9));
  const stride = Math.max(1, Math.ceil(whole / MOST_POINTS));
  let path = "";
  let isOpen = false;
  const add = (epoch, value) => {
    if (!isNumber(value)) { isOpen = false; return; }
    path += (isOpen ? "L" : "M") + scales.x(epoch).toFixed(1) + " " + scales.y(value).toFixed(1);
    isOpen = true;
  };
  for (let index = 0; index < whole; index += stride) add(index + 1, values[index]);
  if (whole && (whole - 1) % stride) add(whole, values[whole - 1]);
  const end = valueAt(values, shown);
  if (shown > whole && isNumber(end)) add(shown, end);
  return path;
}

/** The usual shape of a curve, to say without words what will be drawn in an empty chart. */
function ghostPath(kind, scales) {
  const high = scales.bottom - EDGE.top;
  return Array.from({ length: 41 }, (_, index) => {
    const fall = Math.exp((-5 * index) / 40);
    const y = kind === "loss" ? scales.bottom - high * (0.14 + 0.8 * fall) : scales.bottom - high * (0.86 - 0.72 * fall);
    return (index ? "L" : "M") + (EDGE.left + (scales.inner * index) / 40).toFixed(1) + " " + y.toFixed(1);
  }).join("");
}

/** The value at an epoch that may lie between two. */
function valueAt(values, epoch) {
  const low = values[Math.floor(epoch) - 1];
  const high = values[Math.ceil(epoch) - 1];
  if (!isNumber(low) || !isNumber(high)) return isNumber(low) && epoch % 1 === 0 ? low : null;
  return low + (high - low) * (epoch - Math.floor(epoch));
}

function place(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === "number" ? value.toFixed(1) : value;
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

function appear(node, isShown) {
  const display = isShown ? "" : "none";
  if (node.style.display !== display) node.style.display = display;
}

/** A line before the first epoch of each later phase, with a word beside the first of them. */
function drawPhases(chart, view, scales) {
  const starts = view.isEmpty ? [] : view.phaseStarts.filter((epoch) => epoch <= view.shown + 1);
  keepInStep(chart.phases, starts, (epoch) => epoch, () => {
    const group = makeSvg("g");
    group.append(makeSvg("line", { class: "tl-run-phase" }), makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }, (group, epoch, index) => {
    const x = scales.x(epoch - 0.5);
    place(group.firstChild, { x1: x, x2: x, y1: 2, y2: scales.bottom });
    const isLeft = x < EDGE.left + scales.inner / 2;
    place(group.lastChild, { x: isLeft ? x + 4 : x - 4, y: 12, "text-anchor": isLeft ? "start" : "end" });
    setText(group.lastChild, index ? "" : view.phaseWord);
  });
}

function drawAxes(chart, view, scales) {
  const marks = view.isEmpty ? [{ key: "base", value: 0, text: "" }, { key: "roof", value: view.top, text: "" }] : [
    ...view.ticks.map((value) => ({ key: "y" + value, value, text: view.format(value) })),
    ...epochTicks(Math.ceil(view.first), Math.round(view.last), scales.inner)
      .map((epoch) => ({ key: "x" + epoch, epoch, text: String(epoch) })),
    { key: "unit", unit: true, text: view.epochWord },
  ];
  keepInStep(chart.parts.grid, marks, (mark) => mark.key, (mark) => {
    const group = makeSvg("g");
    if (mark.value !== undefined) group.append(makeSvg("line", { class: "tl-run-grid" }));
    group.append(makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }, (group, mark) => {
    const text = group.lastChild;
    if (mark.value !== undefined) {
      const y = scales.y(mark.value);
      place(group.firstChild, { x1: EDGE.left, x2: scales.right, y1: y, y2: y });
      place(text, { x: EDGE.left - 6, y: y + 4, "text-anchor": "end" });
      appear(group, y > EDGE.top - 6);
    } else if (mark.unit) {
      place(text, { x: 0, y: scales.bottom + 18 });
    } else {
      place(text, { x: scales.x(mark.epoch), y: scales.bottom + 18, "text-anchor": "middle" });
    }
    setText(text, mark.text);
  });
}

/** Where a word between two places (pixels) hides the least of the curves: its baseline. */
function roomiestLine(chart, view, scales, left, right) {
  const [from, to] = [left, right].map((x) => Math.min(Math.max(1, scales.epochAt(x)), view.shown));
  const epochs = [from, to];
  for (let epoch = Math.ceil(from); epoch < to; epoch += 1) epochs.push(epoch);
  for (let part = 1; part < 8; part += 1) epochs.push(from + ((to - from) * part) / 8);
  const crossed = chart.lines.flatMap((line) => epochs
    .map((epoch) => valueAt(view.series[line.key] || [], epoch))
    .filter(isNumber).map(scales.y));
  const roomOf = (y) => Math.min(Infinity, ...crossed.map((each) => Math.abs(each - (y - 4)))); // its middle
  const places = Array.from({ length: 7 }, (_, index) =>
    scales.bottom - 8 - ((scales.bottom - EDGE.top - 20) * index) / 6);
  return places.find((y) => roomOf(y) >= 14) ?? places.reduce((best, y) => (roomOf(y) > roomOf(best) ? y : best));
}

/** Bring the picture in line with `view`; see `viewOf` in run_view.js. */
function drawChart(chart, view) {
  if (!chart.width) return;
  const scales = scalesOf(chart, view);
  chart.scales = scales;
  drawAxes(chart, view, scales);
  drawPhases(chart, view, scales);
  appear(chart.ghost, view.isEmpty);
  if (view.isEmpty) place(chart.ghost, { d: ghostPath(chart.kind, scales) });
  for (const line of chart.lines) {
    const values = view.series[line.key] || [];
    place(chart.parts.paths[line.key], { d: pathOf(values, view.shown, scales) });
    const dotEpoch = view.cursor ?? (view.isLive ? view.shown : null);
    const value = dotEpoch ? valueAt(values, Math.min(dotEpoch, view.shown)) : null;
    appear(chart.parts.dots[line.key], isNumber(value));
    if (isNumber(value)) place(chart.parts.dots[line.key], { cx: scales.x(dotEpoch), cy: scales.y(value) });
  }
  const points = (view.batches || []).filter(([epoch, loss]) => isNumber(epoch) && isNumber(loss));
  place(chart.parts.batches, { d: points.map(([epoch, loss], index) =>
    (index ? "L" : "M") + scales.x(epoch).toFixed(1) + " " + scales.y(Math.min(loss, view.top)).toFixed(1)).join("") });
  appear(chart.parts.band, view.interval);
  if (view.interval) {
    const [low, high] = view.interval;
    place(chart.parts.band, { x: EDGE.left, width: scales.inner, y: scales.y(high), height: scales.y(low) - scales.y(high) });
  }
  drawBest(chart, view, scales);
  appear(chart.cursor, view.cursor);
  if (view.cursor) {
    place(chart.cursor, { x1: scales.x(view.cursor), x2: scales.x(view.cursor), y1: EDGE.top, y2: scales.bottom });
  }
}

function drawBest(chart, view, scales) {
  const values = view.series[chart.lines.at(-1).key] || [];
  const value = view.best && view.best <= view.shown ? values[view.best - 1] : null;
  const isShown = isNumber(value);
  appear(chart.bestLine, isShown);
  appear(chart.bestDot, isShown);
  appear(chart.bestText, isShown);
  if (!isShown) return;
  const x = scales.x(view.best);
  const y = scales.y(value);
  const isLeft = x < EDGE.left + scales.inner / 2; // beside its line, where there is more room
  place(chart.bestLine, { x1: x, x2: x, y1: y, y2: scales.bottom });
  place(chart.bestDot, { cx: x, cy: y });
  setText(chart.bestText, view.bestWord);
  const width = 6 + chart.bestText.getComputedTextLength();
  const line = roomiestLine(chart, view, scales, isLeft ? x : x - width, isLeft ? x + width : x);
  place(chart.bestText, { x: isLeft ? x + 6 : x - 6, y: line, "text-anchor": isLeft ? "start" : "end" });
}

/** A bar that fills: its node, and how to set it. A share that is no number (0 to 1) hides it. */
function buildProgress() {
  const node = make("div", "tl-run-progress", null, { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" });
  const fill = node.appendChild(make("i"));
  function set(share, label) {
    show(node, isNumber(share));
    if (!isNumber(share)) return;
    node.setAttribute("aria-label", label);
    node.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    fill.style.width = (100 * share).toFixed(1) + "%";
  }
  return { node, set };
}
