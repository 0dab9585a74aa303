/* Stages as bars: hatched when frozen, filled when learning. The switch answers at once. */

const root = element.querySelector(".tl-ladder");
const words = () => props.words || {};

const head = make("div", "tl-lad-head");
const toggle = make("button", "tl-switch", null, { type: "button", role: "switch" });
const knob = make("span", "tl-switch-track", null, { "aria-hidden": "true" });
const toggleLabel = make("span", "tl-switch-label");
toggle.append(knob, toggleLabel);
const sentence = make("p", "tl-lad-sentence", null, { "aria-live": "polite" });
head.append(toggle, sentence);

const bars = make("ol", "tl-lad-bars");
const hints = make("div", "tl-lad-hints", null, { "aria-hidden": "true" });
const backboneHint = make("span", "tl-lad-hint");
const lock = makeSvg("svg", { viewBox: "0 0 16 16", class: "tl-lad-lock" });
lock.append(
  makeSvg("path", { d: "M3.5 7h9v6.5h-9z", class: "tl-lad-lock-body" }),
  makeSvg("path", { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2", class: "tl-lad-lock-bow" }),
);
const backboneHintText = make("span");
backboneHint.append(lock, backboneHintText);
const headHint = make("span", "tl-lad-hint tl-lad-hint-open");
hints.append(backboneHint, headHint);
const replaced = make("p", "tl-lad-replaced");
root.append(head, bars, hints, replaced);

/** 928, 1.4 K, 17 K, 2.0 M: two digits are enough to compare. */
function short(count) {
  if (count < 1000) return String(count);
  const [size, letter] = count < 999500 ? [1e3, "K"] : count < 999500000 ? [1e6, "M"] : [1e9, "G"];
  const scaled = count / size;
  return (scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)) + "\u00a0" + letter;
}

/** A bar's height in pixels: the logarithm of its parameters, between 12 and 52. */
function heightOf(count, counts) {
  const logs = counts.map((each) => Math.log10(Math.max(1, each)));
  const low = Math.min(...logs);
  const span = Math.max(...logs) - low;
  return span ? 12 + (40 * (Math.log10(Math.max(1, count)) - low)) / span : 32;
}

function buildBar() {
  const bar = make("li", "tl-lad-stage");
  const box = make("i", "tl-lad-bar", null, { "aria-hidden": "true" });
  box.append(make("i", "tl-lad-fill"));
  const name = make("span", "tl-lad-name", null, { "aria-hidden": "true" });
  name.append(make("span", "tl-lad-word"), make("span"));
  bar.append(box, name,
    make("small", "tl-lad-count", null, { "aria-hidden": "true" }), make("span", "tl-hidden"));
  return bar;
}

function render() {
  const value = props.value;
  show(root, value && value.stages);
  if (!value || !value.stages) return;
  const frozen = value.frozen !== false;
  toggle.setAttribute("aria-checked", String(frozen));
  toggle.setAttribute("aria-disabled", String(value.can_change === false));
  toggle.title = value.can_change === false ? words().locked : "";
  setText(toggleLabel, words().freeze);
  setRich(sentence, frozen ? value.sentence_frozen : value.sentence_open);

  const stages = [...value.stages, { ...value.head, isHead: true }];
  const counts = stages.map((stage) => stage.parameters);
  bars.setAttribute("aria-label", words().stages);
  bars.title = words().stages;
  root.style.setProperty("--stages", String(stages.length));
  keepInStep(bars, stages, (stage, index) => (stage.isHead ? "head" : index), buildBar,
    (bar, stage, index) => {
      const learns = stage.isHead || !frozen;
      bar.classList.toggle("tl-learns", learns);
      bar.classList.toggle("tl-lad-top", Boolean(stage.isHead));
      bar.style.setProperty("--h", heightOf(stage.parameters, counts).toFixed(1) + "px");
      bar.style.setProperty("--wait", (stages.length - 1 - index) * 28 + "ms");
      const count = short(stage.parameters);
      const [, word, number] = /^(.* )?(.*)$/s.exec(/ \d+$/.test(stage.name) ? stage.name : "") || [];
      setText(bar.children[1].firstChild, word); // "stage " goes where there is no room for it
      setText(bar.children[1].lastChild, number || stage.name);
      setText(bar.children[2], count);
      setText(bar.children[3], fill(learns ? words().stage_learns : words().stage_frozen,
        { name: stage.name, count }));
    });
  backboneHint.classList.toggle("tl-lad-hint-open", !frozen);
  lock.style.display = frozen ? "" : "none";
  setText(backboneHintText, frozen ? words().frozen : words().thawed);
  setText(headHint, words().learns);
  setText(replaced, value.replaced_layer);
  show(replaced, value.replaced_layer);
}

toggle.addEventListener("click", () => {
  const value = props.value;
  if (!value || value.can_change === false) return;
  const frozen = value.frozen === false;
  props.value = { ...value, frozen };
  render();
  trigger('toggle', { frozen });
});

watch("value", render);
render();
