// Needs nodes.js, numbers.js, display.js. Reads value, words.
/* Tried pictures with their answers. Nodes are kept; only texts and widths change. */

const heading = make("p", "tl-say tl-pr-heading", null, { "aria-live": "polite" });
const empty = make("p", "tl-pr-empty");
const list = make("ul", "tl-pr-list");
root.append(heading, empty, list);

function buildPicture() {
  const item = make("li", "tl-pr-item");
  const image = make("img", "tl-pr-image", null, { alt: "", decoding: "async", width: "84", height: "84" });
  const body = make("div", "tl-pr-body");
  const name = make("p", "tl-pr-name");
  const bars = make("ol", "tl-pr-bars");
  const error = make("p", "tl-pr-error");
  body.append(bars, error, name);
  item.append(image, body);
  item.parts = { image, name, bars, error };
  return item;
}

function buildBar() {
  const row = make("li", "tl-pr-row");
  const track = make("span", "tl-pr-track", null, { "aria-hidden": "true" });
  const fillBar = make("i");
  fillBar.style.width = "0%";
  track.append(fillBar);
  row.append(make("span", "tl-pr-class"), track, make("b", "tl-pr-percent"));
  return row;
}

function updateBar(row, bar, index) {
  const probability = Math.min(1, Math.max(0, Number(bar.probability) || 0));
  row.classList.toggle("tl-top", index === 0);
  setText(row.children[0], bar.name);
  row.children[0].title = bar.name;
  setText(row.children[2], chanceWords(probability));
  const width = (100 * probability).toFixed(1) + "%";
  const moved = row.children[1].firstChild;
  if (moved.dataset.width === width) return;
  const isFresh = moved.dataset.width === undefined;
  moved.dataset.width = width;
  if (isFresh) requestAnimationFrame(() => { moved.style.width = moved.dataset.width; });
  else moved.style.width = width;
}

function render() {
  const { heading: said, empty: saidInstead, pictures = [] } = value();
  show(root, props.value);
  setText(heading, said);
  show(heading, said);
  setText(empty, saidInstead);
  show(empty, pictures.length === 0 && saidInstead);
  show(list, pictures.length);
  list.setAttribute("aria-label", words().list);
  if (pictures.length > 5) list.tabIndex = 0; // it scrolls, so the keyboard must reach it
  else list.removeAttribute("tabindex");
  const seen = new Map();
  keepInStep(list, pictures, (picture) => {
    const times = (seen.get(picture.key) || 0) + 1; // the same picture may be tried twice
    seen.set(picture.key, times);
    return picture.key + " " + times;
  }, buildPicture, (item, picture) => {
    const { image, name, bars, error } = item.parts;
    setPicture(image, picture.thumbnail);
    image.alt = fill(words().picture, { name: picture.name });
    item.classList.toggle("tl-pr-blank", !image.getAttribute("src"));
    item.classList.toggle("tl-pr-failed", (picture.error || "").includes(picture.name)); // it names it already
    setText(name, picture.name);
    name.title = picture.name;
    setText(error, picture.error);
    show(error, picture.error);
    keepInStep(bars, picture.error ? [] : picture.classes || [], (bar, index) => index, buildBar, updateBar);
    show(bars, !picture.error);
  });
}

watch("value", render);
render();
