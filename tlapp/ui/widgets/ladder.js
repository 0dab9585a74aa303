// Needs nodes.js, numbers.js, display.js. Reads value, words, moved, measured.
/* Stages as bars with a padlock each: hatched when locked, filled when learning. A press answers at
   once; what it means (counts, seconds, doubts) comes from the server a moment later. */

const head = make("div", "tl-lad-head");
const toggle = make("button", "tl-switch", null, { type: "button", role: "switch" });
const knob = make("span", "tl-switch-track", null, { "aria-hidden": "true" });
const toggleLabel = make("span", "tl-switch-label");
toggle.append(knob, toggleLabel);
const sentence = make("p", "tl-lad-sentence", null, { "aria-live": "polite" });
head.append(toggle, sentence);

const presets = make("div", "tl-lad-presets", null, { role: "group" });
const bars = make("ol", "tl-lad-bars");
const doubts = make("ul", "tl-lad-doubts", null, { "aria-live": "polite" });
const rates = make("details", "tl-lad-rates");
const ratesTitle = make("summary");
const ratesList = make("ul");
rates.append(ratesTitle, ratesList);
const replaced = make("p", "tl-lad-replaced");
const memory = make("p", "tl-lad-replaced");
root.append(head, presets, bars, memory, doubts, replaced, rates);

/** A bar's height in pixels: the logarithm of its parameters, between 12 and 52. */
function heightOf(count, counts) {
  const logs = counts.map((each) => Math.log10(Math.max(1, each)));
  const low = Math.min(...logs);
  const span = Math.max(...logs) - low;
  return span ? 12 + (40 * (Math.log10(Math.max(1, count)) - low)) / span : 32;
}

function makeLock() {
  const lock = makeSvg("svg", { viewBox: "0 0 16 16", class: "tl-lad-lock", "aria-hidden": "true" });
  lock.append(
    makeSvg("path", { d: "M3.5 7h9v6.5h-9z", class: "tl-lad-lock-body" }),
    makeSvg("path", { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2", class: "tl-lad-lock-bow" }),
  );
  return lock;
}

function buildBar(stage, index) {
  const item = make("li", "tl-lad-stage");
  const press = stage.isHead ? make("div", "tl-lad-press")
    : make("button", "tl-lad-press", null, { type: "button" });
  const box = make("i", "tl-lad-bar", null, { "aria-hidden": "true" });
  box.append(make("i", "tl-lad-fill"));
  const name = make("span", "tl-lad-name", null, { "aria-hidden": "true" });
  name.append(make("span", "tl-lad-word"), make("span"));
  press.append(box, makeLock(), name,
    make("small", "tl-lad-count", null, { "aria-hidden": "true" }),
    make("small", "tl-lad-rate", null, { "aria-hidden": "true" }), make("span", "tl-hidden"),
    make("small", "tl-lad-moved"));
  item.append(press);
  if (!stage.isHead) press.addEventListener("click", () => turnLock(index));
  return item;
}

function renderBar(item, stage, counts, place) {
  const learns = stage.rate !== null;
  const press = item.firstChild;
  const [box, , name, count, rate, spoken] = press.children;
  item.classList.toggle("tl-learns", learns);
  item.classList.toggle("tl-lad-top", Boolean(stage.isHead));
  item.style.setProperty("--h", heightOf(stage.parameters, counts).toFixed(1) + "px");
  item.style.setProperty("--wait", place * 28 + "ms");
  const parts = /^(.* )?(.*)$/s.exec(/ \d+$/.test(stage.title) ? stage.title : "") || [];
  setText(name.firstChild, parts[1]); // "stage " goes where there is no room for it
  setText(name.lastChild, parts[2] || stage.title);
  setText(count, shortCount(stage.parameters));
  setText(rate, rateWords(stage.rate));
  const values = { name: stage.title, count: shortCount(stage.parameters), rate: rateWords(stage.rate) };
  setText(spoken, fill(learns ? words().stage_learns : words().stage_frozen, values));
  if (!stage.isHead) {
    press.setAttribute("aria-pressed", String(!learns));
    press.title = fill(learns ? words().lock : words().unlock, values);
  }
  box.title = "";
}

/** How far the stages of the run on the page have moved; null: it has another backbone. */
function movedShares(stages) {
  const moved = (props.moved && props.moved.stages) || [];
  const isSame = moved.length === stages.length
    && moved.every(([name, parameters], index) => name === stages[index].name && parameters === stages[index].parameters);
  return isSame ? moved.map(([, , share]) => share) : null;
}

/** A mark under each stage that has moved: wider the further, from 0.01 % to 100 % of its weights. */
function renderMoved() {
  const stages = props.value.stages;
  const shares = movedShares(stages);
  stages.forEach((stage, index) => {
    const mark = bars.children[index].firstChild.querySelector(".tl-lad-moved");
    const share = shares && shares[index];
    setText(mark, share ? movedWords(share) : "");
    if (!share) return;
    mark.setAttribute("title", fill(words().moved, { name: stage.title, share: movedWords(share) }));
    mark.style.setProperty("--moved", Math.max(0.05, Math.min(1, 1 + Math.log10(share) / 4)).toFixed(3));
  });
  root.classList.toggle("tl-has-moved", Boolean(shares));
  setText(memory, shares && props.moved.sentence);
  show(memory, shares && props.moved.sentence);
}

function buildRate(stage) {
  const item = make("li");
  const label = make("label");
  const field = make("input", null, null, { type: "number", step: "any", min: "0" });
  label.append(make("span"), field);
  item.append(label, make("em"));
  field.addEventListener("change", () => {
    const rate = field.value === "" ? null : Number(field.value);
    trigger('rate', { stage: stage.name, rate });
  });
  return item;
}

function renderRate(item, stage) {
  const field = item.querySelector("input");
  setText(item.querySelector("span"), stage.title);
  show(field, stage.rate !== null);
  setText(item.querySelector("em"), stage.rate === null ? words().locked : "");
  if (document.activeElement !== field) field.value = stage.rate === null ? "" : rateDigits(stage.rate);
}

function render() {
  const now = value();
  show(root, now.stages);
  if (!now.stages) return;
  const stages = [...now.stages, { ...now.head, isHead: true }];
  const counts = stages.map((stage) => stage.parameters);
  toggle.setAttribute("aria-checked", String(now.stages.every((stage) => stage.rate === null)));
  setText(toggleLabel, words().freeze);
  setRich(sentence, now.sentence);
  sentence.classList.toggle("tl-lad-problem", Boolean(now.is_problem));

  presets.setAttribute("aria-label", words().presets);
  keepInStep(presets, now.presets || [], (preset) => preset.name, (preset) => {
    const button = make("button", "tl-lad-preset", null, { type: "button" });
    button.addEventListener("click", () => trigger('choose', { name: preset.name }));
    return button;
  }, (button, preset) => {
    setText(button, preset.title);
    button.setAttribute("aria-pressed", String(preset.name === now.preset));
  });

  bars.setAttribute("aria-label", words().stages);
  root.style.setProperty("--stages", String(stages.length));
  keepInStep(bars, stages, (stage, index) => (stage.isHead ? "head" : index), buildBar,
    (item, stage, index) => renderBar(item, stage, counts, stages.length - 1 - index));
  renderMoved();
  keepInStep(doubts, now.doubts || [], (doubt) => doubt, () => make("li"), setText);
  setText(replaced, now.replaced_layer);
  show(replaced, now.replaced_layer);
  setText(ratesTitle, words().rates);
  keepInStep(ratesList, now.stages, (stage) => stage.name, buildRate, renderRate);
}

/** Lock or open stages: `isLocked` says for each one. */
function setLocks(isLocked) {
  const now = value();
  const open = now.stages.map((stage) => stage.rate).filter((rate) => rate !== null);
  const rate = open.length ? Math.min(...open) : now.head.rate;
  const stages = now.stages.map((stage, index) =>
    ({ ...stage, rate: isLocked(stage, index) ? null : stage.rate ?? rate }));
  props.value = { ...now, stages, preset: "", untried: "" };
  render();
  trigger('lock', {});
}

function turnLock(place) {
  setLocks((stage, index) => (index === place ? stage.rate !== null : stage.rate === null));
}

toggle.addEventListener("click", () => {
  const isFrozen = props.value.stages.every((stage) => stage.rate === null);
  setLocks(() => !isFrozen);
});

watch("value", () => {
  render();
  if (props.value.untried) trigger('measure', {});
});
watch("moved", render);
watch("measured", () => {
  const { of, sentence: said } = props.measured;
  if (!of || of !== props.value.untried) return; // something else was chosen meanwhile
  props.value = { ...props.value, sentence: said, untried: "" };
  render();
});
render();
