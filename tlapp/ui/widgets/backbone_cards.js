/* A native radio group drawn as cards: arrow keys, labels and focus come from the browser. */

const root = element.querySelector(".tl-backbones");
const words = () => props.words || {};
const groupName = freshId("tl-backbone");
let showsAll = false;

const group = make("div", "tl-bb-group", null, { role: "radiogroup" });
const more = make("button", "tl-link tl-bb-more", null, { type: "button" });
root.append(group, more);

function buildCard(card) {
  const box = make("div", "tl-bb");
  const label = make("label", "tl-bb-label");
  const radio = make("input", "tl-bb-radio", null, { type: "radio", name: groupName, value: card.name });
  const title = make("strong", "tl-bb-title");
  const facts = make("span", "tl-bb-facts");
  const weights = make("em", "tl-bb-weights");
  label.append(radio, title, facts, weights);
  const download = make("button", "tl-button tl-bb-download", null, { type: "button" });
  const bar = make("div", "tl-bb-progress", null,
    { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" });
  bar.append(make("i"));
  box.append(label, download, bar);
  box.parts = { radio, title, facts, weights, download, bar };
  radio.addEventListener("change", () => choose(card.name));
  download.addEventListener("click", () => trigger('fetch', { name: card.name }));
  return box;
}

function updateCard(box, card, isShown, value) {
  const { radio, title, facts, weights, download, bar } = box.parts;
  const isChosen = card.name === value.selected;
  show(box, isShown);
  box.classList.toggle("tl-on", isChosen);
  if (radio.checked !== isChosen) radio.checked = isChosen;
  setText(title, card.title);
  keepInStep(facts, card.facts || [], (fact, index) => index, () => make("span"),
    (node, fact) => setText(node, fact));
  setText(weights, card.weights);
  weights.classList.toggle("tl-ready", Boolean(card.ready));
  weights.classList.toggle("tl-failed", card.download === "failed");
  const isOffered = card.download === "offered"; // then the button says what the line would
  show(weights, !isOffered);
  show(download, isOffered || card.download === "failed");
  setText(download, isOffered ? card.weights : words().again);
  download.setAttribute("aria-label", fill(words().download_card, { label: download.textContent, title: card.title }));
  show(bar, card.download === "running");
  bar.setAttribute("aria-label", fill(words().progress_card, { title: card.title }));
  const isKnown = typeof card.progress === "number";
  bar.classList.toggle("tl-unknown", !isKnown);
  const percent = isKnown ? Math.round(100 * Math.min(1, Math.max(0, card.progress))) : 0;
  if (isKnown) bar.setAttribute("aria-valuenow", String(percent));
  else bar.removeAttribute("aria-valuenow");
  bar.firstChild.style.width = isKnown ? percent + "%" : "";
}

/** The first few, the chosen one always among them. */
function shownNames(value) {
  const limit = value.first_shown || 4;
  const names = value.cards.map((card) => card.name);
  const first = names.slice(0, limit);
  if (showsAll || first.includes(value.selected) || !names.includes(value.selected)) {
    return new Set(showsAll ? names : first);
  }
  return new Set([...first.slice(0, limit - 1), value.selected]);
}

function render() {
  const value = props.value;
  show(root, value && value.cards);
  if (!value || !value.cards) return;
  group.setAttribute("aria-label", words().group);
  const shown = shownNames(value);
  keepInStep(group, value.cards, (card) => card.name, buildCard,
    (box, card) => updateCard(box, card, shown.has(card.name), value));
  show(more, value.cards.length > (value.first_shown || 4));
  setText(more, showsAll ? words().fewer : fill(words().all, { count: value.cards.length }));
  more.setAttribute("aria-expanded", String(showsAll));
}

function choose(name) {
  const value = props.value;
  if (!value || value.selected === name) return;
  props.value = { ...value, selected: name };
  render();
  trigger('choose', { name });
}

more.addEventListener("click", () => {
  showsAll = !showsAll;
  render();
});

watch("value", render);
render();
