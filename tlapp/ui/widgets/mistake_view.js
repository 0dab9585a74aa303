// Needs nodes.js, display.js, runs_plot.js. Reads value, words.
/* The classic mistakes: choose one, say what will happen, watch it happen, read why. */

const intro = make("p", "tl-note");
const list = make("ul", "tl-mis-list");
const stage = make("div", "tl-mis-stage");
const what = make("p", "tl-mis-what");
const ask = make("p", "tl-mis-ask");
const options = make("div", "tl-mis-options", null, { role: "group" });
const status = make("p", "tl-mis-status", null, { role: "status" });
const progress = buildProgress("tl-run-progress");
const stop = make("button", "tl-link", null, { type: "button" });
const shown = make("div", "tl-mis-shown");
const bars = make("ul", "tl-mis-bars");
const plot = buildRunsPlot(["epoch"]);
const views = make("div", "tl-mis-views");
const answer = make("div", "tl-mis-answer");
shown.append(bars, views);
stage.append(what, ask, options, status, progress.node, stop, shown, plot.node, answer);
root.append(intro, list, stage);

let chosen = "";
let asksAgain = false; // the chosen one was pressed once more

const choiceOf = (name) => (value().mistakes || []).find((each) => each.name === name);

function buildChoice(mistake) {
  const item = make("li");
  const button = make("button", "tl-mis-choice", mistake.title, { type: "button" });
  button.addEventListener("click", () => {
    asksAgain = mistake.name === chosen;
    chosen = mistake.name;
    render();
  });
  item.append(button);
  return item;
}

function renderChoice(item, mistake) {
  const button = item.firstChild;
  button.disabled = !value().is_ready || Boolean(value().is_running);
  button.setAttribute("aria-pressed", String(mistake.name === chosen));
}

function buildOption(option) {
  const button = make("button", "tl-button", option.title, { type: "button" });
  button.addEventListener("click", () => {
    asksAgain = false;
    trigger('guess', { name: chosen, outcome: option.name });
  });
  return button;
}

function buildBar() {
  const item = make("li");
  const track = make("i", "tl-bar", null, { "aria-hidden": "true" });
  track.append(make("i"));
  item.append(make("span"), track, make("b"));
  return item;
}

function renderBar(item, bar) {
  const [label, track, figure] = item.children;
  setText(label, bar.label);
  item.classList.toggle("tl-mis-wrong", Boolean(bar.is_wrong));
  track.firstChild.style.width = (100 * bar.share).toFixed(1) + "%";
  setText(figure, bar.figure);
}

function buildView(view) {
  const figure = make("figure");
  figure.append(make("img", null, null, { alt: view.label }), make("figcaption"));
  return figure;
}

function renderView(figure, view) {
  setPicture(figure.firstChild, view.picture);
  setText(figure.lastChild, view.label);
}

function render() {
  const now = value();
  const isShown = Boolean(now.run) && now.run === chosen && (now.is_running || !asksAgain);
  const choice = choiceOf(chosen);
  setText(intro, now.intro);
  list.setAttribute("aria-label", words().list);
  keepInStep(list, now.mistakes || [], (mistake) => mistake.name, buildChoice, renderChoice);
  show(stage, choice && now.is_ready);
  setText(what, choice && choice.what);
  setText(ask, words().ask);
  const asks = Boolean(choice) && !now.is_running && !isShown;
  for (const node of [ask, options]) show(node, asks);
  options.setAttribute("aria-label", words().ask);
  keepInStep(options, now.options || [], (option) => option.name, buildOption, () => {});
  setText(status, isShown ? now.status : "");
  show(status, isShown && now.status);
  progress.set(now.progress, { "aria-label": words().progress });
  show(progress.node, isShown && now.is_running);
  show(stop, isShown && now.is_running);
  setText(stop, words().stop);
  show(shown, isShown);
  keepInStep(bars, isShown ? now.bars || [] : [], (bar) => bar.label, buildBar, renderBar);
  keepInStep(views, isShown ? now.views || [] : [], (view) => view.label, buildView, renderView);
  const curves = isShown ? now.curves || [] : [];
  show(plot.node, curves.length);
  plot.draw(curves.map((curve, index) => ({ ...curve, key: curve.label, colour: index })), words());
  keepInStep(answer, isShown ? now.answer || [] : [], (sentence) => sentence, () => make("p"), setRich);
}

/** What the server says: it has begun, goes on, or was found again after a reload. */
function take() {
  if (value().run && (value().is_running || !chosen)) chosen = value().run;
  render();
}

stop.addEventListener("click", () => trigger('stop', {}));
watch("value", take);
take();
