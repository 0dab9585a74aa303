// Needs nodes.js, numbers.js, plot.js.
/* Held-out accuracy of several runs on one plot, over epochs or over seconds. */

/** The plot and the two buttons that say what it is drawn over; the first of `kinds` ("epoch", "seconds") is at first.
    `draw(rows, words)`: rows of {key, colour, accuracies, seconds, best}. `onTurn` hears of a press. */
function buildRunsPlot(kinds, onTurn) {
  const plot = buildPlot({ class: "tl-run-plot tl-runs-plot", role: "img" });
  const lines = plot.add("g");
  const axis = make("div", "tl-lad-presets", null, { role: "group" });
  const buttons = kinds.map((kind) => axis.appendChild(make("button", "tl-lad-preset", null, { type: "button" })));
  let chosen = 0;
  let drawn = []; // the rows
  buttons.forEach((button, index) => button.addEventListener("click", () => { chosen = index; onTurn(); }));

  const isByEpoch = () => kinds[chosen] === "epoch";
  const isPoint = ([x, y]) => isNumber(x) && isNumber(y);
  const pointAt = (row, index) => [isByEpoch() ? index + 1 : row.seconds[index], row.accuracies[index]];
  const pointsOf = (row) => row.accuracies.map((_, index) => pointAt(row, index)).filter(isPoint);

  function drawGrid(at, first, last, floor) {
    const step = niceStep(1 - floor, 4);
    const levels = Array.from({ length: Math.floor((1 - floor) / step + 1e-9) + 1 }, (_, index) => 1 - index * step);
    const ticks = isByEpoch() ? epochTicks(first, Math.round(last), at.inner) : ticksTo(last).filter((tick) => tick <= last);
    drawAxes(plot, at, {
      levels: levels.map((level) => ({ value: level, text: plainPercent(level) })),
      ticks: ticks.map((tick) => ({ value: tick, text: isByEpoch() ? tick : secondsWords(tick) })),
      below: 16,
    });
  }

  function buildLine() {
    const group = makeSvg("g");
    group.append(makeSvg("path", { class: "tl-run-line" }), makeSvg("circle", { r: 4 }));
    return group;
  }

  /** A dot stands at the epoch `best`; where there is none yet, at the newest one. */
  function drawLine(group, row, at) {
    setAttributes(group, { class: "tl-runs-line tl-c" + row.colour });
    const points = pointsOf(row);
    place(group.firstChild, { d: pathThrough(points.map(([x, y]) => [at.x(x), at.y(y)])) });
    const dot = row.best ? pointAt(row, row.best - 1) : points.at(-1) || [];
    appear(group.lastChild, isPoint(dot));
    if (isPoint(dot)) place(group.lastChild, { cx: at.x(dot[0]), cy: at.y(dot[1]) });
  }

  function redraw() {
    const points = drawn.flatMap(pointsOf);
    const first = isByEpoch() ? 1 : 0;
    const last = Math.max(first + 1, ...points.map(([x]) => x));
    const least = points.length ? Math.min(...points.map(([, y]) => y)) : 0;
    const floor = Math.max(0, Math.min(0.9, Math.floor(least * 10) / 10));
    const at = scalePlot(plot, [first, last], [floor, 1]);
    if (!at) return;
    drawGrid(at, first, last, floor);
    const byColour = [...drawn].sort((one, other) => one.colour - other.colour); // the first has no gaps
    keepInStep(lines, byColour, (row) => row.key, buildLine, (group, row) => drawLine(group, row, at));
  }

  function draw(rows, words) {
    drawn = rows;
    setAttributes(plot.node, { "aria-label": words.plot });
    setAttributes(axis, { "aria-label": words.axis });
    buttons.forEach((button, index) => {
      setText(button, words["by_" + kinds[index]]);
      setAttributes(button, { "aria-pressed": index === chosen });
    });
    redraw();
  }

  new ResizeObserver(redraw).observe(plot.node);
  return { node: plot.node, axis, draw, isByEpoch };
}
