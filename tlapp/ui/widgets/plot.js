// Needs nodes.js.
/* A plot: axes, curves, a cursor with its keys, and curves that grow. Widgets say what is drawn on it. */

const EDGE = { left: 40, right: 14, top: 20, bottom: 26 }; // above: the word of a phase
const SWEEP_MS = 800; // a curve that arrives whole is drawn over this time
const STEP_MS = 260; // one update at 4 Hz flows into the next

const wantsLessMotion = window.matchMedia("(prefers-reduced-motion: reduce)");

/* --- Ticks ------------------------------------------------------------------------------------ */

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

/* --- Drawing ---------------------------------------------------------------------------------- */

/** An empty plot. `add(tag, attributes)` gives an SVG node on top of those that are there. */
function buildPlot(attributes) {
  const node = make("div", "tl-run-plot", null, attributes);
  const svg = node.appendChild(makeSvg("svg", { "aria-hidden": "true" }));
  const add = (tag, attributesOfIt) => svg.appendChild(makeSvg(tag, attributesOfIt));
  return { node, svg, add, grid: add("g") };
}

/** A figure's caption: a name and a softer note. */
function buildCaption() {
  const node = make("figcaption", "tl-run-caption");
  const [name, note] = [make("b"), make("span")];
  node.append(name, " ", note);
  return { node, name, note };
}

/** From values to pixels and back, for axes from and to `xs` and `ys`; null while the plot is not shown. */
function scalePlot({ node, svg }, xs, ys, isLogarithmic = false) {
  if (!node.clientWidth) return null;
  setAttributes(svg, { viewBox: `0 0 ${node.clientWidth} ${node.clientHeight}` });
  const inner = Math.max(1, node.clientWidth - EDGE.left - EDGE.right);
  const high = Math.max(1, node.clientHeight - EDGE.top - EDGE.bottom);
  const linear = (number) => (isLogarithmic ? Math.log10(number) : number);
  const first = linear(xs[0]);
  const span = Math.max(1e-9, linear(xs[1]) - first);
  return {
    inner, right: EDGE.left + inner, bottom: EDGE.top + high,
    x: (number) => EDGE.left + (inner * (linear(number) - first)) / span,
    y: (number) => EDGE.top + high * (1 - (number - ys[0]) / (ys[1] - ys[0])),
    xAt: (pixels) => {
      const number = first + ((pixels - EDGE.left) / inner) * span;
      return isLogarithmic ? 10 ** number : number;
    },
  };
}

/** Attributes that place an SVG node: numbers are pixels. */
function place(node, attributes) {
  const texts = Object.entries(attributes).map(([name, each]) => [name, isNumber(each) ? each.toFixed(1) : each]);
  setAttributes(node, Object.fromEntries(texts));
}

/** SVG nodes have no `hidden`. */
function appear(node, isShown) {
  const display = isShown ? "" : "none";
  if (node.style.display !== display) node.style.display = display;
}

const upright = (x, top, bottom) => ({ x1: x, x2: x, y1: top, y2: bottom });

/** Place these nodes, or hide them all where there is no place (null). */
function drawMark({ line, dot, text }, spot) {
  for (const node of [line, dot, text]) appear(node, spot);
  if (!spot) return;
  place(line, upright(spot.x, spot.top, spot.bottom));
  place(dot, { cx: spot.x, cy: spot.y });
  setText(text, spot.word);
}

/** Lines at `levels`, numbers beside them, and words under the axis at `ticks` ({value, text}). `unit`: under the levels. */
function drawAxes({ grid }, at, { levels, ticks, unit, below = 18 }) {
  const marks = [
    ...levels.map((level) => ({ ...level, key: "y" + level.value, y: at.y(level.value) })),
    ...ticks.map((tick) => ({ anchor: "middle", ...tick, key: "x" + tick.value, x: at.x(tick.value) })),
    ...(unit ? [{ key: "unit", x: 0, text: unit }] : []),
  ];
  keepInStep(grid, marks, (mark) => mark.key, (mark) => {
    const group = makeSvg("g");
    if (isNumber(mark.y)) group.append(makeSvg("line", { class: "tl-run-grid" }));
    group.append(makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }, (group, mark) => {
    const label = group.lastChild;
    if (isNumber(mark.y)) {
      place(group.firstChild, { x1: EDGE.left, x2: at.right, y1: mark.y, y2: mark.y });
      place(label, { x: EDGE.left - 6, y: mark.y + 4, "text-anchor": "end" });
      appear(group, mark.y > EDGE.top - 6);
    } else {
      place(label, { x: mark.x, y: at.bottom + below, "text-anchor": mark.anchor });
    }
    setText(label, mark.text);
  });
}

/** The path through points [x, y] in pixels, with a gap where one is null. */
function pathThrough(points) {
  let isOpen = false;
  return points.map((point) => {
    const step = point ? (isOpen ? "L" : "M") + point[0].toFixed(1) + " " + point[1].toFixed(1) : "";
    isOpen = Boolean(point);
    return step;
  }).join("");
}

/** Put the tip beside `x`, on the side where it has room. */
function placeTip(tip, { node }, x) {
  const left = x + 12 + tip.offsetWidth <= node.clientWidth ? x + 12 : Math.max(0, x - 12 - tip.offsetWidth);
  tip.style.transform = `translateX(${left.toFixed(0)}px)`;
}

/* --- Reading and growing ---------------------------------------------------------------------- */

/** Read curves point by point (1 for the first) with the pointer and the keys of a slider. `count()` points;
    `now()`: the one that is read, or where reading begins; `pointAt(pixels)`; `onRead(point)`: null when it ends. */
function readPoints(node, { count, now, home, pointAt, onRead }) {
  const read = (point) => onRead(count() ? Math.min(count(), Math.max(1, Math.round(point))) : null);
  node.addEventListener("pointermove", (event) => read(pointAt(event.clientX - node.getBoundingClientRect().left)));
  node.addEventListener("pointerleave", () => onRead(null));
  node.addEventListener("focus", () => { if (node.matches(":focus-visible")) read(home()); });
  node.addEventListener("blur", () => onRead(null));
  node.addEventListener("keydown", (event) => {
    const at = now() || home();
    const goal = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1,
      PageUp: at + 10, PageDown: at - 10, Home: 1, End: count() }[event.key];
    if (goal === undefined || !count()) return;
    event.preventDefault();
    read(goal);
  });
}

/** Curves that grow at the pace of the eye: `draw(shown, time)` once a frame, as long as points are missing or
    it says that it is not at rest. `take(count, isOther)`: so many points are known; other ones begin at none. */
function makeGrowth(draw, mostInStep) {
  let shown = 0;
  let sweep = { from: 0, to: 0, start: 0, duration: STEP_MS };
  let frame = 0;
  let isFirst = true;
  const schedule = () => { frame ||= requestAnimationFrame(step); };
  function step(time) {
    frame = 0;
    const part = wantsLessMotion.matches ? 1 : Math.min(1, Math.max(0, (time - sweep.start) / sweep.duration));
    shown = part === 1 ? sweep.to : sweep.from + (sweep.to - sweep.from) * part;
    if (draw(shown, time) || shown !== sweep.to) schedule();
  }
  function take(count, isOther) {
    if (isOther) shown = 0;
    if (isFirst || wantsLessMotion.matches) shown = count;
    isFirst = false;
    if (count === sweep.to && !isOther) return;
    sweep = { from: shown, to: count, start: performance.now(), duration: count - shown > mostInStep ? SWEEP_MS : STEP_MS };
  }
  return { take, schedule };
}
