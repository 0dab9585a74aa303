// Needs nodes.js, numbers.js, display.js, speech.js, plot.js. Reads value, words.
/* Loss against learning rate on a logarithmic axis, as the rates are tried, and the rate to take. */

const RISE = 1.15; // of the first losses: what is higher, at the end, is cut off

const status = make("p", "tl-rates-status", null, { "aria-hidden": "true" });
const voice = makeVoice();
const progress = buildProgress("tl-run-progress");
const figure = make("figure", "tl-run-figure");
const caption = buildCaption();
const plot = buildPlot({ role: "slider", tabindex: "0", "aria-valuemin": "1" });
const clip = plot.add("clipPath", { id: freshId("tl-rates") });
const clipBox = clip.appendChild(makeSvg("rect"));
const best = { line: plot.add("line", { class: "tl-run-best" }) };
const curve = plot.add("path", { class: "tl-run-line tl-s-valid", "clip-path": `url(#${clip.id})` });
const cursorLine = plot.add("line", { class: "tl-run-cursor" });
const dot = plot.add("circle", { class: "tl-run-dot tl-d-valid", r: 4 });
best.dot = plot.add("circle", { class: "tl-run-best-dot", r: 4.5 });
best.text = plot.add("text", { class: "tl-run-best-text" });
const tip = plot.node.appendChild(make("div", "tl-run-tip"));
figure.append(caption.node, plot.node);
const why = make("p", "tl-rates-why");
root.append(status, voice.node, progress.node, figure, why);

let known = { search: null, count: 0 };
let cursor = null; // a step, 1 for the first
let at = null; // the scales
const growth = makeGrowth(draw, 10);

const rates = () => value().rates || [];
const losses = () => value().losses || [];
const readOut = (step) => fill(words().at, { rate: rateWords(rates()[step - 1]), loss: threeDigits(losses()[step - 1]) });

/* --- Drawing ---------------------------------------------------------------------------------- */

function drawGrid(range, top) {
  const [low, high] = range.map((rate) => Math.log10(rate));
  const stride = Math.ceil(44 / Math.max(1, at.inner / (high - low)));
  const powers = Array.from({ length: Math.round(high - low) + 1 }, (_, index) => Math.round(high) - index)
    .filter((power, index) => index % stride === 0);
  drawAxes(plot, at, {
    levels: ticksTo(top).map((level) => ({ value: level, text: plain(level) })),
    ticks: powers.map((power, index) => ({ value: 10 ** power, text: powerWords(power), anchor: index ? "middle" : "end" })),
  });
}

function drawBest(shown, top) {
  const { suggested, mark } = value();
  if (!isNumber(suggested) || shown !== rates().length) return drawMark(best, null);
  const farFrom = (rate) => Math.abs(Math.log(rate / suggested));
  const nearest = rates().reduce((least, rate, index) => (farFrom(rate) < farFrom(rates()[least]) ? index : least), 0);
  const x = at.x(suggested);
  drawMark(best, { x, y: at.y(Math.min(losses()[nearest], top)), top: EDGE.top, bottom: at.bottom, word: mark });
  return place(best.text, { x: x - 6, y: at.bottom - 8, "text-anchor": "end" });
}

function drawCursor(shown, top) {
  const step = cursor || (value().is_running && shown ? Math.floor(shown) : null);
  appear(dot, step);
  appear(cursorLine, cursor);
  show(tip, cursor);
  if (!step) return;
  const x = at.x(rates()[step - 1]);
  place(dot, { cx: x, cy: at.y(Math.min(losses()[step - 1], top)) });
  if (!cursor) return;
  place(cursorLine, upright(x, EDGE.top, at.bottom));
  setText(tip, readOut(cursor));
  placeTip(tip, plot, x);
}

function draw(shown) {
  if (!rates().length) return;
  const range = value().range || [1e-6, 10];
  const top = ticksTo(RISE * Math.max(...losses().slice(0, 10), 1e-6)).at(-1);
  at = scalePlot(plot, range, [0, top], true);
  if (!at) return;
  drawGrid(range, top);
  place(clipBox, { x: EDGE.left, y: EDGE.top - 2, width: at.inner, height: at.bottom - EDGE.top + 2 });
  const points = rates().slice(0, Math.floor(shown + 1e-9)).map((rate, index) => [at.x(rate), at.y(losses()[index])]);
  place(curve, { d: pathThrough(points) });
  drawBest(shown, top);
  drawCursor(shown, top);
}

/* --- Reading the curve ------------------------------------------------------------------------ */

/** The step whose rate the suggestion is, else the last one. */
function home() {
  const step = rates().findIndex((rate) => rate * 1.05 >= value().suggested);
  return isNumber(value().suggested) && step >= 0 ? step + 1 : rates().length;
}

readPoints(plot.node, {
  count: () => rates().length,
  now: () => cursor,
  home,
  pointAt: (pixels) => 1 + rates().filter((rate) => rate < at.xAt(pixels)).length,
  onRead: (step) => {
    cursor = step;
    describe();
    growth.schedule();
  },
});

function describe() {
  if (!rates().length) return;
  const step = cursor || home();
  setAttributes(plot.node, { "aria-label": `${words().plot}. ${words().keys}`, "aria-valuemax": rates().length,
    "aria-valuenow": step, "aria-valuetext": readOut(step) });
}

function render() {
  const { search, is_running: isRunning, status: said, why: reason } = value();
  const isOther = search !== known.search || rates().length < known.count;
  if (isOther) cursor = null;
  known = { search, count: rates().length };
  growth.take(known.count, isOther);
  setText(status, said);
  status.classList.toggle("tl-failed", Boolean(value().is_problem));
  progress.set(value().progress, { "aria-label": words().progress });
  show(progress.node, isNumber(value().progress));
  show(figure, known.count);
  setText(caption.name, words().title);
  setText(caption.note, words().unit);
  setRich(why, reason);
  show(why, reason);
  describe();
  voice.speak(`${said} ${reason || ""}`.replaceAll("**", ""), `${search} ${isRunning}`);
  growth.schedule();
}

new ResizeObserver(growth.schedule).observe(plot.node);
watch("value", render);
render();
