/* Status, progress and two charts. Values come at any pace; the curves grow at the pace of the eye. */

const root = element.querySelector(".tl-run");
const words = () => props.words || {};
const SWEEP_MS = 800; // a run that arrives whole is drawn over this time
const STEP_MS = 260; // one update at 4 Hz flows into the next
const SPEAK_MS = 5000; // a screen reader hears a running sentence at most this often

const LINES = [
  { key: "train", style: "tl-s-train", dot: "tl-d-train" },
  { key: "train_eval", style: "tl-s-eval", dot: "tl-d-eval" },
  { key: "valid", style: "tl-s-valid", dot: "tl-d-valid" },
];
const LOSS = buildChart("loss", LINES);
const ACCURACY = buildChart("accuracy", [
  { ...LINES[1], key: "train_accuracy", word: "train_eval" },
  { ...LINES[2], key: "valid_accuracy", word: "valid" },
]);
const charts = [LOSS, ACCURACY];

const status = make("p", "tl-run-status", null, { "aria-hidden": "true" });
const spoken = make("p", "tl-hidden", null, { role: "status" });
const origin = make("p", "tl-run-origin");
const progress = make("div", "tl-run-progress", null,
  { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" });
progress.append(make("i"));
const chartsBox = make("div", "tl-run-charts");
chartsBox.append(LOSS.figure, ACCURACY.figure);
const legend = make("ul", "tl-run-legend");
root.append(status, spoken, origin, progress, chartsBox, legend);

const percent = (share, digits) => (100 * share).toFixed(digits) + "\u00a0%";
const lossWords = (loss) => (!isNumber(loss) ? "" : loss >= 1e4 ? loss.toExponential(1)
  : loss >= 100 ? loss.toFixed(0) : loss.toFixed(loss < 1 ? 3 : 2));
const accuracyWords = (share) => (isNumber(share) ? percent(share, 1) : "");
/** Every tick of an axis with as many decimals as its step needs. */
function tickWords(ticks) {
  const step = ticks[1] - ticks[0];
  const digits = Math.max(0, ...[0, 1, 2, 3, 4].filter((count) => Math.abs(step * 10 ** count % 1) > 1e-6).map((count) => count + 1));
  return (tick) => (ticks.at(-1) >= 1e5 ? tick.toExponential(0) : tick.toFixed(Math.min(4, digits)));
}
LOSS.say = lossWords;
ACCURACY.say = accuracyWords;

/* --- What is known and how much of it is drawn ------------------------------------------------ */

let known = { run: null, count: 0, epochs: {} };
let drawn = { shown: 0, top: 1, last: 1 }; // eases towards `wanted`
let sweep = { from: 0, to: 0, start: 0, duration: 0 };
let cursor = null;
let frame = 0;
let lastFrame = 0;
let isFirst = true;

const value = () => props.value || {};
const isLive = () => ["preparing", "running"].includes(value().state);
let isLineLost = false;
const sentence = () => (isLineLost ? words().lost : value().status);
const heard = watchLine(() => isLive() || value().state === "waiting", (isLost) => {
  isLineLost = isLost;
  renderWords();
  speak();
});

function wanted() {
  const losses = [...LINES.flatMap((line) => known.epochs[line.key] || []),
    ...(value().batches || []).map((point) => point[1])].filter(isNumber);
  let top = 0;
  for (const loss of losses) top = Math.max(top, loss);
  const ticks = ticksTo(top || 1);
  const isOver = ["finished", "stopped", "failed"].includes(value().state);
  const last = Math.max(1, known.count, isOver && known.count ? 0 : value().total_epochs || 0);
  const first = (value().batches || []).length || last < 2 ? 0 : 1;
  return { ticks, top: ticks.at(-1), last, first };
}

function take() {
  const epochs = value().epochs || {};
  const count = Math.max(0, ...Object.values(epochs).map((series) => series?.length || 0));
  const isOther = value().run !== known.run || count < known.count;
  known = { run: value().run, count, epochs };
  if (isOther) {
    drawn.shown = 0;
    cursor = null;
    const goal = wanted();
    drawn = { shown: 0, top: goal.top, last: goal.last };
  }
  if (isFirst || wantsLessMotion.matches) drawn.shown = count;
  const gap = count - drawn.shown;
  if (gap && count !== sweep.to || isOther) {
    const from = drawn.shown;
    sweep = { from, to: count, start: performance.now(), duration: gap > 3 ? SWEEP_MS : STEP_MS };
  }
  if (cursor) cursor = Math.min(cursor, count) || null;
  isFirst = false;
}

function step(time) {
  frame = 0;
  const goal = wanted();
  const part = sweep.duration ? Math.min(1, Math.max(0, (time - sweep.start) / sweep.duration)) : 1;
  drawn.shown = wantsLessMotion.matches ? known.count : Math.min(known.count, sweep.from + (sweep.to - sweep.from) * part);
  if (part === 1) drawn.shown = known.count;
  const ease = wantsLessMotion.matches ? 1 : 1 - Math.exp(-Math.min(100, time - lastFrame || 16) / 90);
  lastFrame = time;
  for (const name of ["top", "last"]) {
    const rest = goal[name] - drawn[name];
    drawn[name] = Math.abs(rest) < 0.002 * goal[name] || !known.count ? goal[name] : drawn[name] + rest * ease;
  }
  draw(goal);
  if (drawn.shown !== known.count || drawn.top !== goal.top || drawn.last !== goal.last) schedule();
}

function schedule() {
  if (!frame) frame = requestAnimationFrame(step);
}

function draw(goal) {
  const common = { shown: drawn.shown, first: goal.first, last: drawn.last, cursor, best: value().best_epoch,
    bestWord: fill(words().best, { epoch: value().best_epoch }), series: known.epochs, isLive: isLive(),
    epochWord: words().epoch, phaseStarts: value().phase_starts || [], phaseWord: words().phase };
  const hasBatches = (value().batches || []).length > 0;
  drawChart(LOSS, { ...common, top: drawn.top, ticks: goal.ticks, batches: value().batches,
    isEmpty: !known.count && !hasBatches,
    format: tickWords(goal.ticks) });
  drawChart(ACCURACY, { ...common, top: 1, ticks: [0, 0.25, 0.5, 0.75, 1], isEmpty: !known.count,
    interval: drawn.shown === known.count && known.count ? value().interval : null,
    format: (tick) => percent(tick, 0) });
  charts.forEach(drawTip);
}

/* --- Reading the values at an epoch ----------------------------------------------------------- */

const valueWords = (chart) => chart.lines
  .map((line) => [words()[line.word || line.key], chart.say((known.epochs[line.key] || [])[cursor - 1])])
  .filter(([, text]) => text);

function drawTip(chart) {
  const isShown = cursor && chart.isPointed && chart.scales;
  show(chart.tip, isShown);
  if (!isShown) return;
  const rows = [{ name: fill(words().at_epoch, { epoch: cursor }), text: "" },
    ...valueWords(chart).map(([name, text]) => ({ name, text }))];
  keepInStep(chart.tip, rows, (row, index) => index, (row, index) => {
    const node = make(index ? "span" : "strong");
    if (index) node.append(make("em"), make("b"));
    return node;
  }, (node, row, index) => {
    if (!index) return setText(node, row.name);
    setText(node.firstChild, row.name);
    setText(node.lastChild, row.text);
  });
  const x = chart.scales.x(cursor);
  const width = chart.tip.offsetWidth;
  const left = x + 12 + width <= chart.width ? x + 12 : Math.max(0, x - 12 - width);
  chart.tip.style.transform = `translateX(${left.toFixed(0)}px)`;
}

function pointAt(chart, epoch) {
  const at = epoch === null || !known.count ? null : Math.min(known.count, Math.max(1, Math.round(epoch)));
  charts.forEach((each) => { each.isPointed = each === chart && at !== null; });
  cursor = at;
  describe();
  schedule();
}

function listen(chart) {
  chart.plot.addEventListener("pointermove", (event) => {
    if (!chart.scales) return;
    pointAt(chart, chart.scales.epochAt(event.clientX - chart.plot.getBoundingClientRect().left));
  });
  chart.plot.addEventListener("pointerleave", () => pointAt(null, null));
  chart.plot.addEventListener("focus", () => {
    if (chart.plot.matches(":focus-visible")) pointAt(chart, value().best_epoch || known.count);
  });
  chart.plot.addEventListener("blur", () => pointAt(null, null));
  chart.plot.addEventListener("keydown", (event) => {
    const now = cursor || value().best_epoch || known.count;
    const goal = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
      PageUp: now + 10, PageDown: now - 10, Home: 1, End: known.count }[event.key];
    if (goal === undefined || !known.count) return;
    event.preventDefault();
    pointAt(chart, goal);
  });
  new ResizeObserver(() => {
    chart.width = chart.plot.clientWidth;
    chart.height = chart.plot.clientHeight;
    if (chart.width) chart.svg.setAttribute("viewBox", `0 0 ${chart.width} ${chart.height}`);
    schedule();
  }).observe(chart.plot);
}

/** Names and values for screen readers; a chart with curves is a slider over its epochs. */
function describe() {
  for (const chart of charts) {
    const hasCurves = known.count > 0;
    const last = (key) => chart.say((known.epochs[key] || []).at(-1));
    const texts = Object.fromEntries(chart.lines.map((line) => [line.key, last(line.key)]));
    const hasValid = Boolean(texts[chart.lines.at(-1).key]);
    const summary = fill(words()[chart.kind + (hasValid ? "_summary" : "_summary_train")], { ...texts, count: known.count });
    setText(chart.summary, hasCurves ? summary + " " + words().keys : words()[chart.kind + "_empty"]);
    show(chart.empty, !hasCurves && !(chart === LOSS && (value().batches || []).length));
    const attributes = hasCurves ? { role: "slider", tabindex: "0", "aria-valuemin": "1",
      "aria-valuemax": String(known.count), "aria-valuenow": String(cursor || known.count),
      "aria-valuetext": readOut(chart) } : { role: "img" };
    attributes["aria-label"] = words()[chart.kind];
    attributes["aria-describedby"] = chart.summary.id;
    for (const name of ["role", "tabindex", "aria-valuemin", "aria-valuemax", "aria-valuenow", "aria-valuetext", "aria-label", "aria-describedby"]) {
      if (attributes[name] === undefined) chart.plot.removeAttribute(name);
      else if (chart.plot.getAttribute(name) !== attributes[name]) chart.plot.setAttribute(name, attributes[name]);
    }
  }
}

function readOut(chart) {
  const kept = cursor;
  cursor = cursor || known.count;
  const text = [fill(words().at_epoch, { epoch: cursor }), ...valueWords(chart).map(([name, each]) => `${name} ${each}`)].join(", ");
  cursor = kept;
  return text;
}

/* --- Words ------------------------------------------------------------------------------------ */

let spokenState = ""; // and whether the line was lost
let spokenAt = -SPEAK_MS;
let speakLater = 0;

/** The sentence for screen readers: at once when the state changes, else in a calm rhythm. */
function speak() {
  clearTimeout(speakLater);
  const wait = spokenAt + SPEAK_MS - performance.now();
  const state = `${value().state} ${isLineLost}`;
  if (state === spokenState && wait > 0) {
    speakLater = setTimeout(speak, wait);
    return;
  }
  spokenState = state;
  spokenAt = performance.now();
  setText(spoken, sentence());
}

function renderProgress() {
  const share = value().progress;
  const isKnown = isNumber(share);
  const whole = isKnown ? Math.round(100 * Math.min(1, Math.max(0, share))) : 0;
  const before = Number(progress.getAttribute("aria-valuenow") || 0);
  progress.classList.toggle("tl-none", !isKnown);
  progress.classList.toggle("tl-jump", whole < before);
  progress.setAttribute("aria-label", words().progress);
  progress.setAttribute("aria-valuenow", String(whole));
  progress.setAttribute("aria-hidden", String(!isKnown));
  progress.firstChild.style.width = (isKnown ? 100 * Math.min(1, Math.max(0, share)) : 0).toFixed(1) + "%";
}

function renderWords() {
  setText(status, sentence());
  setText(origin, value().origin);
  root.dataset.state = value().state;
  status.classList.toggle("tl-failed", value().state === "failed");
  setText(LOSS.captionName, words().loss);
  setText(LOSS.captionNote, words().loss_unit);
  setText(ACCURACY.captionName, words().accuracy);
  setText(ACCURACY.captionNote, value().accuracy_note || words().accuracy_unit);
  charts.forEach((chart) => setText(chart.empty, words()[chart.kind + "_empty"]));
  const entries = [...LINES.map((line) => ({ key: line.key, style: line.style })),
    { key: "interval", isBand: true }]; // has its place from the start, so that no line is added later
  keepInStep(legend, entries, (entry) => entry.key, (entry) => {
    const item = make("li");
    const sample = makeSvg("svg", { viewBox: "0 0 20 8", "aria-hidden": "true" });
    sample.append(entry.isBand ? makeSvg("rect", { x: 0, y: 0, width: 20, height: 8, class: "tl-key-band" })
      : makeSvg("path", { d: "M1 4H19", class: "tl-run-line " + entry.style }));
    item.append(sample, make("span"));
    return item;
  }, (item, entry) => {
    setText(item.lastChild, words()[entry.key]);
    item.style.visibility = entry.isBand && !value().interval ? "hidden" : "";
  });
}

function render() {
  heard();
  take();
  renderWords();
  renderProgress();
  speak();
  describe();
  schedule();
}

charts.forEach(listen);
watch("value", render);
render();
