// Needs nodes.js, numbers.js, display.js, speech.js, plot.js, epoch_chart.js. Reads value, words.
/* A training as it happens: status, progress and two charts. Values come at any pace. */

const LINES = [
  { key: "train", style: "tl-s-train", dot: "tl-d-train" },
  { key: "train_eval", style: "tl-s-eval", dot: "tl-d-eval" },
  { key: "valid", style: "tl-s-valid", dot: "tl-d-valid" },
];
const LOSS = { ...buildChart("loss", LINES), say: lossWords };
const ACCURACY = {
  ...buildChart("accuracy", [
    { ...LINES[1], key: "train_accuracy", word: "train_eval" },
    { ...LINES[2], key: "valid_accuracy", word: "valid" },
  ]),
  say: (share) => (isNumber(share) ? percentWords(share, 1) : ""),
};
const charts = [LOSS, ACCURACY];

const status = make("p", "tl-run-status", null, { "aria-hidden": "true" });
const voice = makeVoice();
const origin = make("p", "tl-run-origin");
const progress = buildProgress("tl-run-progress");
const chartsBox = make("div", "tl-run-charts");
chartsBox.append(LOSS.figure, ACCURACY.figure);
const legend = make("ul", "tl-run-legend");
root.append(status, voice.node, origin, progress.node, chartsBox, legend);

let known = { run: null, count: 0, epochs: {} };
let ends = { top: 1, last: 1 }; // of the axes; they ease towards `wanted`
let lastFrame = 0;
let cursor = null; // an epoch
let isLineLost = false;
const growth = makeGrowth(draw, 3);

const isLive = () => ["preparing", "running"].includes(value().state);
const batches = () => value().batches || [];
const sentence = () => (isLineLost ? words().lost : value().status);

/* --- Drawing ---------------------------------------------------------------------------------- */

function wanted() {
  const losses = [...LINES.flatMap((line) => known.epochs[line.key] || []), ...batches().map(([, loss]) => loss)];
  const ticks = ticksTo(losses.filter(isNumber).reduce((top, loss) => Math.max(top, loss), 0));
  const isOver = ["finished", "stopped", "failed"].includes(value().state);
  const last = Math.max(1, known.count, isOver && known.count ? 0 : value().total_epochs || 0);
  return { ticks, top: ticks.at(-1), last, first: batches().length || last < 2 ? 0 : 1 };
}

function take() {
  const epochs = value().epochs || {};
  const count = Math.max(0, ...Object.values(epochs).map((series) => series?.length || 0));
  const isOther = value().run !== known.run || count < known.count;
  known = { run: value().run, count, epochs };
  if (isOther) {
    cursor = null;
    ends = wanted();
  }
  growth.take(count, isOther);
}

/** One frame; gives whether the axes are still on their way. */
function draw(shown, time) {
  const goal = wanted();
  const ease = wantsLessMotion.matches ? 1 : 1 - Math.exp(-Math.min(100, time - lastFrame || 16) / 90);
  lastFrame = time;
  for (const name of ["top", "last"]) {
    const rest = goal[name] - ends[name];
    ends[name] = Math.abs(rest) < 0.002 * goal[name] || !known.count ? goal[name] : ends[name] + rest * ease;
  }
  const common = { shown, first: goal.first, last: ends.last, cursor, best: value().best_epoch,
    bestWord: fill(words().best, { epoch: value().best_epoch }), series: known.epochs, isLive: isLive(),
    epochWord: words().epoch, phaseStarts: value().phase_starts || [], phaseWord: words().phase };
  drawChart(LOSS, { ...common, top: ends.top, ticks: goal.ticks, batches: batches(),
    isEmpty: !known.count && !batches().length, format: tickWords(goal.ticks) });
  drawChart(ACCURACY, { ...common, top: 1, ticks: [0, 0.25, 0.5, 0.75, 1], isEmpty: !known.count,
    interval: shown === known.count && known.count ? value().interval : null, format: (tick) => percentWords(tick) });
  charts.forEach(drawTip);
  return ends.top !== goal.top || ends.last !== goal.last;
}

/* --- Reading the values at an epoch ----------------------------------------------------------- */

const epochWords = (epoch) => fill(words().at_epoch, { epoch });

const valueWords = (chart, epoch) => chart.lines
  .map((line) => [words()[line.word || line.key], chart.say((known.epochs[line.key] || [])[epoch - 1])])
  .filter(([, text]) => text);

function drawTip(chart) {
  const isShown = cursor && chart.isPointed && chart.at;
  show(chart.tip, isShown);
  if (!isShown) return;
  const rows = [[epochWords(cursor), ""], ...valueWords(chart, cursor)];
  keepInStep(chart.tip, rows, (row, index) => index, (row, index) => {
    const node = make(index ? "span" : "strong");
    if (index) node.append(make("em"), make("b"));
    return node;
  }, (node, [name, text], index) => {
    if (!index) return setText(node, name);
    setText(node.firstChild, name);
    setText(node.lastChild, text);
  });
  placeTip(chart.tip, chart.plot, chart.at.x(cursor));
}

function listen(chart) {
  readPoints(chart.plot.node, {
    count: () => known.count,
    now: () => cursor,
    home: () => value().best_epoch || known.count,
    pointAt: (pixels) => chart.at.xAt(pixels),
    onRead: (epoch) => {
      for (const each of charts) each.isPointed = each === chart;
      cursor = epoch;
      describe();
      growth.schedule();
    },
  });
  new ResizeObserver(growth.schedule).observe(chart.plot.node);
}

/** Names and values for screen readers; a chart with curves is a slider over its epochs. */
function describe() {
  const hasCurves = known.count > 0;
  const epoch = cursor || known.count;
  for (const chart of charts) {
    const texts = Object.fromEntries(chart.lines.map(({ key }) => [key, chart.say((known.epochs[key] || []).at(-1))]));
    const hasValid = Boolean(texts[chart.lines.at(-1).key]);
    const forms = words()[chart.kind + (hasValid ? "_summary" : "_summary_train")];
    const summary = fill(amountWords(known.count, forms), texts);
    setText(chart.summary, hasCurves ? summary + " " + words().keys : words()[chart.kind + "_empty"]);
    show(chart.empty, !hasCurves && !(chart === LOSS && batches().length));
    const spoken = [epochWords(epoch), ...valueWords(chart, epoch).map(([name, text]) => `${name} ${text}`)].join(", ");
    const slider = { tabindex: 0, "aria-valuemin": 1, "aria-valuemax": known.count, "aria-valuenow": epoch, "aria-valuetext": spoken };
    for (const name of Object.keys(slider)) if (!hasCurves) slider[name] = null;
    setAttributes(chart.plot.node, { role: hasCurves ? "slider" : "img", ...slider,
      "aria-label": words()[chart.kind], "aria-describedby": chart.summary.id });
  }
}

/* --- Words ------------------------------------------------------------------------------------ */

function renderStatus() {
  setText(status, sentence());
  status.classList.toggle("tl-failed", value().state === "failed");
  voice.speak(sentence(), `${value().state} ${isLineLost}`);
}

function renderLegend() {
  const entries = [...LINES, { key: "interval" }]; // has its place from the start, so that no line is added later
  keepInStep(legend, entries, (entry) => entry.key, ({ style }) => {
    const item = make("li");
    const sample = makeSvg("svg", { viewBox: "0 0 20 8", "aria-hidden": "true" });
    sample.append(style ? makeSvg("path", { d: "M1 4H19", class: "tl-run-line " + style })
      : makeSvg("rect", { x: 0, y: 0, width: 20, height: 8, class: "tl-key-band" }));
    item.append(sample, make("span"));
    return item;
  }, (item, entry) => {
    setText(item.lastChild, words()[entry.key]);
    item.style.visibility = entry.key === "interval" && !value().interval ? "hidden" : "";
  });
}

function render() {
  heard();
  take();
  renderStatus();
  setText(origin, value().origin);
  root.dataset.state = value().state;
  setText(LOSS.caption.name, words().loss);
  setText(LOSS.caption.note, words().loss_unit);
  setText(ACCURACY.caption.name, words().accuracy);
  setText(ACCURACY.caption.note, value().accuracy_note || words().accuracy_unit);
  charts.forEach((chart) => setText(chart.empty, words()[chart.kind + "_empty"]));
  renderLegend();
  progress.set(value().progress, { "aria-label": words().progress, "aria-hidden": !isNumber(value().progress) });
  describe();
  growth.schedule();
}

/* --- The line to the server ------------------------------------------------------------------- */

const QUIET_MS = 6000; // news of what goes on come up to four times a second, but a slow step takes longer
const ASK_MS = 2000;
const PATIENCE_MS = 10000; // a server at work on all cores answers late

/** Whether the server says anything at all. */
async function answers() {
  try {
    await fetch(serverAddress("/app_id"), { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    return false;
  }
}

/** `isAwaited()`: whether news should come; `onChange(isLost)`. Gives what to call when some have come. */
function watchLine(isAwaited, onChange) {
  let heardAt = performance.now();
  let isLost = false;
  let wasPressed = false; // since the server last answered
  document.addEventListener("click", (event) => { wasPressed ||= Boolean(event.target.closest("button")); });
  const isAsked = () => isAwaited() || wasPressed;
  const setLost = (isLostNow) => {
    if (isLostNow === isLost) return;
    isLost = isLostNow;
    onChange(isLost);
  };
  const look = async () => {
    const askedAt = performance.now();
    const isQuiet = isAsked() && !document.hidden && askedAt - heardAt > QUIET_MS;
    const isSilent = isQuiet && !(await answers());
    wasPressed &&= isSilent || !isQuiet;
    setLost(isSilent && heardAt < askedAt && isAsked());
    setTimeout(look, ASK_MS);
  };
  setTimeout(look, ASK_MS);
  return () => {
    heardAt = performance.now();
    setLost(false);
  };
}

const heard = watchLine(() => isLive() || value().state === "waiting", (isLost) => {
  isLineLost = isLost;
  renderStatus();
});

charts.forEach(listen);
watch("value", render);
render();
