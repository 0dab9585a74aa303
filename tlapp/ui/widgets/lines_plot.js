/* Held-out accuracy of several runs on one plot, over epochs or over seconds. Needs chart.js. */

/** The plot: its node, and how to draw rows of {key, colour, accuracies, seconds, best} into it.
    A dot stands at the epoch `best`; where there is none yet, at the newest one. */
function buildLinesPlot() {
  const node = make("div", "tl-run-plot tl-runs-plot", null, { role: "img" });
  const svg = node.appendChild(makeSvg("svg", { "aria-hidden": "true" }));
  const grid = svg.appendChild(makeSvg("g"));
  const lines = svg.appendChild(makeSvg("g"));

  const pointAt = (row, index, isByEpoch) => [isByEpoch ? index + 1 : row.seconds[index], row.accuracies[index]];
  const isPoint = ([x, y]) => isNumber(x) && isNumber(y);
  const pointsOf = (row, isByEpoch) => row.accuracies.map((_, index) => pointAt(row, index, isByEpoch)).filter(isPoint);

  function scales(points, isByEpoch) {
    const first = isByEpoch ? 1 : 0;
    const last = Math.max(isByEpoch ? 2 : 1, ...points.map(([x]) => x));
    const least = points.length ? Math.min(...points.map(([, y]) => y)) : 0;
    const floor = Math.max(0, Math.min(0.9, Math.floor(least * 10) / 10));
    const right = node.clientWidth - EDGE.right;
    const bottom = node.clientHeight - EDGE.bottom;
    return {
      last, floor, right, bottom,
      x: (value) => EDGE.left + ((right - EDGE.left) * (value - first)) / (last - first),
      y: (value) => bottom - ((bottom - EDGE.top) * (value - floor)) / (1 - floor),
    };
  }

  function marksOf(at, isByEpoch) {
    const step = niceStep(1 - at.floor, 4);
    const levels = Array.from({ length: Math.floor((1 - at.floor) / step + 1e-9) + 1 }, (_, index) => 1 - index * step);
    const ticks = isByEpoch
      ? epochTicks(1, Math.round(at.last), at.right - EDGE.left)
      : ticksTo(at.last).filter((tick) => tick <= at.last);
    return [
      ...levels.map((level) => ({ key: "y" + level.toFixed(3), level })),
      ...ticks.map((tick) => ({ key: "x" + tick, tick })),
    ];
  }

  function buildMark(mark) {
    const group = makeSvg("g");
    if (mark.tick === undefined) group.append(makeSvg("line", { class: "tl-run-grid" }));
    group.append(makeSvg("text", { class: "tl-run-axis" }));
    return group;
  }

  function drawMark(group, mark, at, isByEpoch) {
    const label = group.lastChild;
    if (mark.tick === undefined) {
      place(group.firstChild, { x1: EDGE.left, x2: at.right, y1: at.y(mark.level), y2: at.y(mark.level) });
      place(label, { x: EDGE.left - 6, y: at.y(mark.level) + 4, "text-anchor": "end" });
      setText(label, Math.round(1000 * mark.level) / 10 + "\u00a0%");
    } else {
      place(label, { x: at.x(mark.tick), y: at.bottom + 16, "text-anchor": "middle" });
      setText(label, isByEpoch ? mark.tick : Number(mark.tick.toPrecision(3)) + "\u00a0s");
    }
  }

  function buildLine() {
    const group = makeSvg("g");
    group.append(makeSvg("path", { class: "tl-run-line" }), makeSvg("circle", { r: 4 }));
    return group;
  }

  function drawLine(group, row, at, isByEpoch) {
    group.setAttribute("class", "tl-runs-line tl-c" + row.colour);
    const points = pointsOf(row, isByEpoch);
    const steps = points.map(([a, b], index) => (index ? "L" : "M") + at.x(a).toFixed(1) + " " + at.y(b).toFixed(1));
    place(group.firstChild, { d: steps.join("") });
    const dot = row.best ? pointAt(row, row.best - 1, isByEpoch) : points.at(-1) || [];
    appear(group.lastChild, isPoint(dot));
    if (isPoint(dot)) place(group.lastChild, { cx: at.x(dot[0]), cy: at.y(dot[1]) });
  }

  function draw(rows, isByEpoch) {
    if (!node.clientWidth) return;
    svg.setAttribute("viewBox", `0 0 ${node.clientWidth} ${node.clientHeight}`);
    const at = scales(rows.flatMap((row) => pointsOf(row, isByEpoch)), isByEpoch);
    keepInStep(grid, marksOf(at, isByEpoch), (mark) => mark.key, buildMark,
      (group, mark) => drawMark(group, mark, at, isByEpoch));
    const byColour = [...rows].sort((one, other) => one.colour - other.colour); // the first has no gaps
    keepInStep(lines, byColour, (row) => row.key, buildLine, (group, row) => drawLine(group, row, at, isByEpoch));
  }

  return { node, draw };
}
