// Needs nodes.js, display.js, speech.js, runs_plot.js. Reads value, words.
/* Runs to choose from, their held-out accuracy on one plot (over epochs or over seconds), and the
   settings in which the chosen ones differ. */

const COLOURS = 6; // .tl-c0 to .tl-c5
const MOST_CHOSEN = COLOURS;
const FIRST_CHOSEN = 3;

const empty = make("p", "tl-note");
const table = make("table", "tl-runs-table");
const header = table.appendChild(make("thead")).appendChild(make("tr"));
const body = table.appendChild(make("tbody"));
const scroll = make("div", "tl-runs-scroll", null, { tabindex: "0", role: "region" });
scroll.append(table);
const plot = buildRunsPlot(["epoch", "seconds"], () => render());
const voice = makeVoice();
const note = make("p", "tl-note");
const differences = make("table", "tl-runs-table tl-runs-differences");
root.append(empty, scroll, plot.axis, plot.node, note, voice.node, differences);

let chosen = new Map(); // run -> colour
let known = new Set();
let renamed = null;
let removing = null; // the run whose removal has been asked for once

const rows = () => value().rows || [];
const picked = () => rows().filter((row) => chosen.has(row.run));

/** The first colour that no chosen run has. */
function freeColour() {
  const taken = new Set(chosen.values());
  return [...Array(COLOURS).keys()].find((colour) => !taken.has(colour));
}

function choose(run, isChosen) {
  if (!isChosen) chosen.delete(run);
  else if (chosen.size < MOST_CHOSEN && !chosen.has(run)) chosen.set(run, freeColour());
  render();
}

/** Runs that are gone are forgotten; one that has come is chosen, if need be in place of the one
    that was chosen first. At first those are the shown one and the newest few. */
function take() {
  const now = new Set(rows().map((row) => row.run));
  for (const run of [...chosen.keys()]) if (!now.has(run)) chosen.delete(run);
  const most = known.size ? MOST_CHOSEN : FIRST_CHOSEN;
  const come = rows().filter((row) => !known.has(row.run));
  const wanted = [...new Set([...come.filter((row) => row.is_shown), ...come])].slice(0, most);
  for (const row of wanted) {
    if (chosen.size === MOST_CHOSEN) chosen.delete([...chosen.keys()].find((run) => known.has(run)));
    if (chosen.size < (known.size ? MOST_CHOSEN : most)) chosen.set(row.run, freeColour());
  }
  known = now;
}

function buildRow(row) {
  const line = make("tr");
  const first = make("td", "tl-runs-name");
  const label = make("label");
  const box = make("input", null, null, { type: "checkbox" });
  box.addEventListener("change", () => choose(row.run, box.checked));
  label.append(box, make("i", "tl-runs-swatch", null, { "aria-hidden": "true" }), make("span"));
  const field = make("input", "tl-runs-rename", null, { type: "text", maxlength: "120" });
  field.hidden = true;
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") finish(row.run, field.value);
    if (event.key === "Escape") finish(null);
  });
  field.addEventListener("blur", () => { if (renamed === row.run) finish(row.run, field.value); });
  first.append(label, field, make("em"));
  line.append(first);
  return line;
}

function finish(run, name) {
  renamed = null;
  if (run && name.trim()) trigger('rename', { run, name: name.trim() });
  render();
}

const ACTIONS = [
  ["open", (row) => trigger('open', { run: row.run }), (row) => row.is_shown],
  ["adopt", (row) => trigger('adopt', { run: row.run })],
  ["rename", (row) => { renamed = row.run; render(); }],
  ["pin", (row) => trigger('pin', { run: row.run }), (row) => row.is_pinned],
  ["unpin", (row) => trigger('unpin', { run: row.run }), (row) => !row.is_pinned],
  ["remove", (row) => { removing = row.run; render(); }, (row) => removing === row.run],
  ["remove_now", (row) => trigger('remove', { run: row.run }), (row) => removing !== row.run],
];

function renderRow(line, row) {
  const colour = chosen.get(row.run);
  line.classList.toggle("tl-runs-chosen", colour !== undefined);
  const [label, field, marks] = line.firstChild.children;
  const [box, swatch, name] = label.children;
  box.checked = colour !== undefined;
  box.disabled = colour === undefined && chosen.size >= MOST_CHOSEN;
  box.title = box.disabled ? words().most : "";
  box.setAttribute("aria-label", fill(words().choose, { name: row.name }));
  swatch.className = "tl-runs-swatch" + (colour === undefined ? "" : " tl-c" + colour);
  setText(name, row.name);
  const isRenamed = renamed === row.run;
  show(label, !isRenamed);
  if (isRenamed && field.hidden) {
    field.hidden = false;
    field.value = row.name;
    field.setAttribute("aria-label", fill(words().new_name, { name: row.name }));
    field.focus();
    field.select();
  }
  if (!isRenamed) field.hidden = true;
  setText(marks, [row.is_best && words().best, row.is_shown && words().shown, row.is_pinned && words().pinned, row.ended]
    .filter(Boolean).join(", "));
  while (line.children.length > 1) line.lastChild.remove();
  for (const cell of row.cells) line.append(make("td", "", cell));
  const actions = make("td", "tl-runs-actions");
  for (const [action, run, isHidden] of ACTIONS) {
    if (isHidden && isHidden(row)) continue;
    const button = make("button", "tl-link", words()[action],
      { type: "button", "aria-label": fill(words()[action + "_run"], { name: row.name }) });
    button.addEventListener("click", () => run(row));
    actions.append(button);
  }
  line.append(actions);
}

/** Settings whose values are not the same in all chosen runs. */
function renderDifferences() {
  const some = picked();
  const names = [...new Set(some.flatMap((row) => row.settings.map(([name]) => name)))];
  const valueOf = (row, name) => (row.settings.find(([each]) => each === name) || [])[1] ?? "";
  const differing = names.filter((name) => new Set(some.map((row) => valueOf(row, name))).size > 1);
  differences.replaceChildren();
  show(differences, differing.length);
  if (!differing.length) return;
  differences.append(make("caption", "", words().differences));
  const top = make("tr");
  top.append(make("td"), ...some.map((row) => {
    const cell = make("th", "", null, { scope: "col" });
    cell.append(make("i", "tl-runs-swatch tl-c" + chosen.get(row.run), null, { "aria-hidden": "true" }),
      make("span", "", row.name));
    return cell;
  }));
  differences.append(top, ...differing.map((name) => {
    const line = make("tr");
    line.append(make("th", "", name, { scope: "row" }), ...some.map((row) => make("td", "", valueOf(row, name))));
    return line;
  }));
}

function render() {
  const { empty: said, columns = [] } = value();
  const some = rows().length > 0;
  setText(empty, said);
  show(empty, !some && said);
  for (const node of [scroll, plot.axis, plot.node]) show(node, some);
  if (header.children.length !== columns.length + 2) {
    header.replaceChildren(...[words().run, ...columns].map((name) => make("th", "", name, { scope: "col" })), make("td"));
  }
  scroll.setAttribute("aria-label", words().list);
  keepInStep(body, rows(), (row) => row.run, buildRow, renderRow);
  voice.speak(picked().map((row) => `${row.name}: ${row.cells[2] || ""}`).join(". "));
  const notes = [!plot.isByEpoch() && words().seconds_note, chosen.size >= MOST_CHOSEN && words().most + "."];
  setText(note, notes.filter(Boolean).join(" "));
  show(note, some && note.textContent);
  plot.draw(picked().map((row) => ({ ...row, key: row.run, colour: chosen.get(row.run) })), words());
  renderDifferences();
}

watch("value", () => { take(); render(); });
take();
render();
