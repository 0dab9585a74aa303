/* Loss against learning rate on a logarithmic axis. Needs chart.js. The curve grows at the pace of the eye. */

const root = element.querySelector(".tl-rates");
const words = () => props.words || {};
const value = () => props.value || {};
const SWEEP_MS = 800; // a search that arrives whole is drawn over this time
const STEP_MS = 260; // one update at 4 Hz flows into the next
const SPEAK_MS = 5000; // a screen reader hears a running sentence at most this often
const RISE = 1.15; // of the first losses: what is higher, at the end, is cut off

const status = make("p", "tl-rates-status", null, { "aria-hidden": "true" });
const spoken = make("p", "tl-hidden", null, { role: "status" });
const progress = buildProgress();
const figure = make("figure", "tl-run-figure");
const caption = make("figcaption", "tl-run-caption");
caption.append(make("b"), document.createTextNode(" "), make("span"));
const plot = make("div", "tl-run-plot", null, { role: "slider", tabindex: "0", "aria-valuemin": "1" });
const svg = makeSvg("svg", { "aria-hidden": "true" });
const grid = svg.appendChild(makeSvg("g"));
const clip = svg.appendChild(makeSvg("clipPath", { id: freshId("tl-rates") }));
const clipBox = clip.appendChild(makeSvg("rect"));
const bestLine = svg.appendChild(makeSvg("line", { class: "tl-run-best" }));
const curve = svg.appendChild(makeSvg("path", { class: "tl-run-line tl-s-valid", "clip-path": `url(#${clip.id})` }));
const cursorLine = svg.appendChild(makeSvg("line", { class: "tl-run-cursor" }));
const dot = svg.appendChild(makeSvg("circle", { class: "tl-run-dot tl-d-valid", r: 4 }));
const bestDot = svg.appendChild(makeSvg("circle", { class: "tl-run-best-dot", r: 4.5 }));
const bestText = svg.appendChild(makeSvg("text", { class: "tl-run-best-text" }));
const tip = make("div", "tl-run-tip");
plot.append(svg, tip);
figure.append(caption, plot);
const why = make("p", "tl-rates-why");
root.append(status, spoken, progress.node, figure, why);

let search = null;
let cursor = null; // a step, 1 for the first
let isFirst = true;
let sweep = { from: 0, to: 0, start: 0, duration: 0 };
let frame = 0;

const count = () => (value().rates || []).length;
const rateWords = (rate) => (rate >= 0.001 ? String(Number(rate.toPrecision(2))) : Number(rate.toPrecision(2)).toExponential());
const readOut = (step) => fill(words().at, { rate: rateWords(value().rates[step - 1]), loss: value().losses[step - 1].toPrecision(3) });

/* --- Drawing ---------------------------------------------------------------------------------- */

function scales() {
  const [low, high] = (value().range || [1e-6, 10]).map(Math.log10);
  const losses = value().losses || [];
  const top = ticksTo(RISE * Math.max(...losses.slice(0, 10), 1e-6)).at(-1);
  const right = plot.clientWidth - EDGE.right;
  const bottom = plot.clientHeight - EDGE.bottom;
  return {
    low, high, top, right, bottom,
    x: (rate) => EDGE.left + ((right - EDGE.left) * (Math.log10(rate) - low)) / (high - low),
    y: (loss) => bottom - ((bottom - EDGE.top) * loss) / top,
  };
}

const decadeWords = (power) => (power >= -3 ? String(Number((10 ** power).toPrecision(1)))
  : "10" + String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]));

function drawAxes(at) {
  const room = (at.right - EDGE.left) / (at.high - at.low);
  const stride = Math.ceil(44 / Math.max(1, room));
  const powers = Array.from({ length: Math.round(at.high - at.low) + 1 }, (_, index) => Math.round(at.high) - index)
    .filter((power, index) => index % stride === 0);
  const marks = [...ticksTo(at.top).map((level) => ({ key: "y" + level, level })),
    ...powers.map((power) => ({ key: "x" + power, power }))];
  keepInStep(grid, marks, (mark) => mark.key, (mark) => {
    const group = makeSvg("g");
    if (mark.level !== undefined) group.append(makeSvg("line", { class: "tl-run-grid" }));
    group.append(makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }, (group, mark) => {
    if (mark.level !== undefined) {
      const y = at.y(mark.level);
      place(group.firstChild, { x1: EDGE.left, x2: at.right, y1: y, y2: y });
      place(group.lastChild, { x: EDGE.left - 6, y: y + 4, "text-anchor": "end" });
      setText(group.lastChild, Number(mark.level.toPrecision(3)));
    } else {
      const isLast = mark.power === Math.round(at.high);
      place(group.lastChild, { x: at.x(10 ** mark.power), y: at.bottom + 18, "text-anchor": isLast ? "end" : "middle" });
      setText(group.lastChild, decadeWords(mark.power));
    }
  });
}

function drawMark(at, shown) {
  const { suggested, rates = [], losses = [] } = value();
  const isShown = isNumber(suggested) && shown === count();
  for (const node of [bestLine, bestDot, bestText]) appear(node, isShown);
  if (!isShown) return;
  const nearest = rates.reduce((best, rate, index) =>
    (Math.abs(Math.log(rate / suggested)) < Math.abs(Math.log(rates[best] / suggested)) ? index : best), 0);
  const x = at.x(suggested);
  const y = at.y(Math.min(losses[nearest], at.top));
  place(bestLine, { x1: x, x2: x, y1: EDGE.top, y2: at.bottom });
  place(bestDot, { cx: x, cy: y });
  place(bestText, { x: x - 6, y: at.bottom - 8, "text-anchor": "end" });
  setText(bestText, value().mark);
}

function drawCursor(at, shown) {
  const step = cursor || (value().is_running && shown ? Math.floor(shown) : null);
  appear(dot, Boolean(step));
  appear(cursorLine, Boolean(cursor));
  show(tip, Boolean(cursor));
  if (!step) return;
  const x = at.x(value().rates[step - 1]);
  place(dot, { cx: x, cy: at.y(Math.min(value().losses[step - 1], at.top)) });
  if (!cursor) return;
  place(cursorLine, { x1: x, x2: x, y1: EDGE.top, y2: at.bottom });
  setText(tip, readOut(cursor));
  const left = x + 12 + tip.offsetWidth <= plot.clientWidth ? x + 12 : Math.max(0, x - 12 - tip.offsetWidth);
  tip.style.transform = `translateX(${left.toFixed(0)}px)`;
}

function draw(shown) {
  if (!plot.clientWidth || !count()) return;
  svg.setAttribute("viewBox", `0 0 ${plot.clientWidth} ${plot.clientHeight}`);
  const at = scales();
  drawAxes(at);
  place(clipBox, { x: EDGE.left, y: EDGE.top - 2, width: at.right - EDGE.left, height: at.bottom - EDGE.top + 2 });
  const points = value().rates.slice(0, Math.floor(shown + 1e-9))
    .map((rate, index) => (index ? "L" : "M") + at.x(rate).toFixed(1) + " " + at.y(value().losses[index]).toFixed(1));
  place(curve, { d: points.join("") });
  drawMark(at, shown);
  drawCursor(at, shown);
}

const shownNow = (time) => {
  const part = sweep.duration ? Math.min(1, Math.max(0, (time - sweep.start) / sweep.duration)) : 1;
  return part === 1 ? count() : sweep.from + (sweep.to - sweep.from) * part;
};

function step(time) {
  frame = 0;
  const shown = shownNow(time);
  draw(shown);
  if (shown !== count()) schedule();
}

function schedule() {
  if (!frame) frame = requestAnimationFrame(step);
}

/** How much of the curve is drawn already, and over which time the rest follows. */
function take() {
  const now = performance.now();
  const isOther = value().search !== search || count() < sweep.to;
  const from = isOther ? 0 : Math.min(shownNow(now), sweep.to);
  if (isFirst || wantsLessMotion.matches) sweep = { from: 0, to: count(), start: now, duration: 0 };
  else if (isOther || count() !== sweep.to) {
    sweep = { from, to: count(), start: now, duration: count() - from > 10 ? SWEEP_MS : STEP_MS };
  }
  if (isOther) cursor = null;
  search = value().search;
  isFirst = false;
}

/* --- Reading the curve ------------------------------------------------------------------------ */

function pointAt(step) {
  cursor = step === null || !count() ? null : Math.min(count(), Math.max(1, Math.round(step)));
  describe();
  schedule();
}

/** The step whose rate the suggestion is, else the last one. */
function home() {
  const at = (value().rates || []).findIndex((rate) => rate * 1.05 >= value().suggested);
  return isNumber(value().suggested) && at >= 0 ? at + 1 : count();
}

plot.addEventListener("pointermove", (event) => {
  const at = scales();
  const share = (event.clientX - plot.getBoundingClientRect().left - EDGE.left) / (at.right - EDGE.left);
  const rate = 10 ** (at.low + share * (at.high - at.low));
  pointAt(1 + (value().rates || []).filter((each) => each < rate).length);
});
plot.addEventListener("pointerleave", () => pointAt(null));
plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) pointAt(home()); });
plot.addEventListener("blur", () => pointAt(null));
plot.addEventListener("keydown", (event) => {
  const now = cursor || home();
  const goal = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
    PageUp: now + 10, PageDown: now - 10, Home: 1, End: count() }[event.key];
  if (goal === undefined || !count()) return;
  event.preventDefault();
  pointAt(goal);
});

function describe() {
  if (!count()) return;
  const at = cursor || home();
  const attributes = { "aria-label": `${words().plot}. ${words().keys}`, "aria-valuemax": String(count()),
    "aria-valuenow": String(at), "aria-valuetext": readOut(at) };
  for (const [name, text] of Object.entries(attributes)) {
    if (plot.getAttribute(name) !== text) plot.setAttribute(name, text);
  }
}

/* --- Words ------------------------------------------------------------------------------------ */

let spokenKind = "";
let spokenAt = -SPEAK_MS;
let speakLater = 0;

/** The sentence for screen readers: at once when the search begins or ends, else in a calm rhythm. */
function speak() {
  clearTimeout(speakLater);
  const kind = `${value().search} ${value().is_running}`;
  const wait = spokenAt + SPEAK_MS - performance.now();
  if (kind === spokenKind && wait > 0) {
    speakLater = setTimeout(speak, wait);
    return;
  }
  spokenKind = kind;
  spokenAt = performance.now();
  setText(spoken, `${value().status} ${value().why || ""}`.replaceAll("**", ""));
}

function render() {
  take();
  setText(status, value().status);
  status.classList.toggle("tl-failed", Boolean(value().is_problem));
  progress.set(value().progress, words().progress);
  show(figure, count() > 0);
  setText(caption.firstChild, words().title);
  setText(caption.lastChild, words().unit);
  setRich(why, value().why);
  show(why, value().why);
  describe();
  speak();
  schedule();
}

new ResizeObserver(schedule).observe(plot);
watch("value", render);
render();
