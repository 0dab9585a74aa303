// Needs nodes.js, numbers.js, display.js. Reads value, words.
/* A native radio group drawn as cards: arrow keys, labels and focus come from the browser. */

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
  const progress = buildProgress("tl-bb-progress");
  box.append(label, download, progress.node);
  box.parts = { radio, title, facts, weights, download, progress };
  radio.addEventListener("change", () => choose(card.name));
  download.addEventListener("click", () => trigger('fetch', { name: card.name }));
  return box;
}

function updateCard(box, card, isShown) {
  const { radio, title, facts, weights, download, progress } = box.parts;
  const isChosen = card.name === value().selected;
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
  show(progress.node, card.download === "running");
  progress.set(card.progress, { "aria-label": fill(words().progress_card, { title: card.title }) });
}

/** The first few, the chosen one always among them. */
function shownNames(limit) {
  const { cards, selected } = value();
  const names = cards.map((card) => card.name);
  const first = names.slice(0, limit);
  if (showsAll || first.includes(selected) || !names.includes(selected)) return new Set(showsAll ? names : first);
  return new Set([...first.slice(0, limit - 1), selected]);
}

function render() {
  const { cards, first_shown: limit = 4 } = value();
  show(root, cards);
  if (!cards) return;
  group.setAttribute("aria-label", words().group);
  const shown = shownNames(limit);
  keepInStep(group, cards, (card) => card.name, buildCard, (box, card) => updateCard(box, card, shown.has(card.name)));
  show(more, cards.length > limit);
  setText(more, showsAll ? words().fewer : amountWords(cards.length, words().all));
  more.setAttribute("aria-expanded", String(showsAll));
}

function choose(name) {
  if (value().selected === name) return;
  props.value = { ...value(), selected: name };
  render();
  trigger('choose', { name });
}

more.addEventListener("click", () => {
  showsAll = !showsAll;
  render();
});

watch("value", render);
render();
