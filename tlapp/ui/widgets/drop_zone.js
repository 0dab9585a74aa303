/* What both drop zones look like and do: heading, one line, buttons; while busy a bar and Cancel. */

const FRAME_MS = 120; // the line and the bar change at most this often

/** "3.1 MB", "0.4 MB", "1.2 GB". */
function sizeText(bytes) {
  return bytes >= 1e9 ? (bytes / 1e9).toFixed(1) + " GB" : (bytes / 1e6).toFixed(1) + " MB";
}

/** "1 picture", "1,200 pictures" from the words [one, many]. */
function countText(number, words) {
  return fill(words[number === 1 ? 0 : 1], { count: number.toLocaleString("en-US") });
}

/** Whether somebody types there: then keys and pasting are theirs. */
function isTypedInto(node) {
  return Boolean(node && node.closest && node.closest("input, textarea, select, [contenteditable=''], [contenteditable=true]"));
}

/** A file that misses the zones must not replace the page. */
function guardPage() {
  if (window.tlappPageIsGuarded) return;
  window.tlappPageIsGuarded = true;
  const refuse = (event) => {
    if (event.defaultPrevented || !event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
    if (isTypedInto(event.target)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  };
  document.addEventListener("dragover", refuse);
  document.addEventListener("drop", refuse);
}

/** Build the zone within `root`. `onDrop(taken)` gets what was dropped; buttons are added to `.actions`. */
function makeDropZone(root, words, onDrop) {
  const zone = make("div", "tl-drop", null, { role: "group" });
  const heading = make("strong", "tl-drop-heading", words.heading, { id: freshId("tl-drop") });
  zone.setAttribute("aria-labelledby", heading.id);
  const line = make("span", "tl-drop-line", words.hint);
  const status = make("span", "tl-hidden", "", { role: "status" });
  const feet = make("div", "tl-drop-feet");
  const actions = make("div", "tl-drop-actions");
  const work = make("div", "tl-drop-work");
  const bar = make("div", "tl-drop-bar", null, { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-labelledby": heading.id });
  const filled = bar.appendChild(make("i"));
  const cancel = make("button", "tl-button", words.cancel, { type: "button" });
  work.append(bar, cancel);
  feet.append(actions, work);
  zone.append(heading, line, feet, status);
  root.replaceChildren(zone);

  let current = null; // the work in hand; its `stop` ends it
  let lastFrame = 0;
  let drags = 0;

  const mark = (state) => (zone.dataset.state = state);
  const write = (title, text) => {
    setText(heading, title);
    setText(line, text);
  };
  /** Rest with a heading and a line: the usual ones, a result, or what went wrong. */
  const rest = (title, text, state = "idle") => {
    const hadFocus = zone.contains(document.activeElement) && work.contains(document.activeElement);
    current = null;
    mark(state);
    write(title ?? words.heading, text ?? words.hint);
    setText(status, title || text ? [title, text].filter(Boolean).join(". ") : "");
    if (hadFocus) actions.querySelector("button")?.focus();
  };
  const fail = (title, text) => rest(title, text, "bad");
  /** Change the line and the bar (share of 0 to 1; null: not known). The first of a phase is spoken. */
  const report = (text, share, isFirst = false) => {
    const now = performance.now();
    if (!isFirst && now - lastFrame < FRAME_MS && share !== 1) return;
    lastFrame = now;
    setText(line, text);
    if (isFirst) setText(status, text);
    bar.classList.toggle("unknown", share === null);
    filled.style.width = share === null ? "" : (share * 100).toFixed(1) + "%";
    if (share === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
    bar.setAttribute("aria-valuetext", text);
  };
  /** Do `task(stopping)` with the bar shown; a second one is refused while one runs. */
  const run = async (task) => {
    if (current) {
      setText(status, words.busy);
      setText(line, words.busy);
      lastFrame = performance.now() + 1500; // leave time to read it
      return;
    }
    const stopping = { isStopped: false, stop: () => {} };
    current = stopping;
    mark("busy");
    try {
      await task(stopping);
    } catch (error) {
      if (stopping.isStopped || error.kind === "stopped") rest(words.heading, words.stopped);
      else if (error.kind === "told") fail(error.title, error.text);
      else fail(words[error.kind] || words.failed, words[error.kind + "_hint"] || words.failed_hint);
      if (!error.kind) console.error(error);
    } finally {
      if (current === stopping) rest();
    }
  };
  cancel.addEventListener("click", () => {
    if (!current) return;
    current.isStopped = true;
    current.stop();
    setText(line, words.stopping);
  });

  const hasFiles = (event) => event.dataTransfer && Array.from(event.dataTransfer.types).includes("Files");
  zone.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    drags += 1;
    zone.classList.add("over");
  });
  zone.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  zone.addEventListener("dragleave", () => {
    drags = Math.max(0, drags - 1);
    if (!drags) zone.classList.remove("over");
  });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    drags = 0;
    zone.classList.remove("over");
    const taken = takeDropped(event.dataTransfer); // now: it is empty as soon as this handler has returned
    if (taken.length) onDrop(taken);
    else if (!current) fail(words.nothing, words.nothing_hint);
  });
  guardPage();
  rest();

  /** A button in the zone's row. */
  const addButton = (text, onClick, isMain) => {
    const button = make("button", isMain ? "tl-button tl-main" : "tl-button", text, { type: "button" });
    button.addEventListener("click", onClick);
    actions.append(button);
    return button;
  };
  /** A button that opens the browser's own chooser. */
  const addChooser = (text, attributes, onChosen, isMain) => {
    const input = make("input", "", null, { type: "file", hidden: "", tabindex: "-1", "aria-label": text, ...attributes });
    input.addEventListener("change", () => {
      const chosen = filesOfInput(input);
      input.value = ""; // so that the same choice counts again
      if (chosen.length) onChosen(chosen);
      else fail(words.nothing, words.nothing_hint);
    });
    actions.append(input);
    return addButton(text, () => input.click(), isMain);
  };
  const isBusy = () => current !== null;
  return { node: zone, run, rest, fail, report, write, addButton, addChooser, isBusy };
}

/** Ends the work with a heading and what to do next. */
function tell(title, text) {
  return Object.assign(new Error(title), { kind: "told", title, text });
}
