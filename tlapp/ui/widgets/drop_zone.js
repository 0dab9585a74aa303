// Needs nodes.js, speech.js, files.js.
/* What both drop zones look like and do: heading, one line, buttons; while busy a bar and Cancel. */

const FRAME_MS = 120; // the line and the bar change at most this often
const READING_MS = 1500; // a remark stays for so long

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

/** The zone's elements within `root`: heading, line, and in one place either buttons or bar and Cancel. */
function buildDropNodes(root, words) {
  const zone = make("div", "tl-drop", null, { role: "group" });
  const heading = make("strong", "tl-drop-heading", words.heading, { id: freshId("tl-drop") });
  zone.setAttribute("aria-labelledby", heading.id);
  const line = make("span", "tl-drop-line", words.hint);
  const voice = makeVoice();
  const feet = make("div", "tl-drop-feet");
  const actions = make("div", "tl-drop-actions");
  const work = make("div", "tl-drop-work");
  const progress = buildProgress("tl-drop-bar");
  setAttributes(progress.node, { "aria-labelledby": heading.id });
  const cancel = make("button", "tl-button", words.cancel, { type: "button" });
  work.append(progress.node, cancel);
  feet.append(actions, work);
  zone.append(heading, line, feet, voice.node);
  root.replaceChildren(zone);
  return { zone, heading, line, voice, actions, work, progress, cancel };
}

/** Call `onDrop` with what is dropped on the zone, and show that it may be dropped there. */
function listenForDrops(zone, onDrop) {
  const hasFiles = (event) => Array.from(event.dataTransfer?.types || []).includes("Files");
  let depth = 0; // entering a child comes before leaving its parent
  const allow = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  };
  zone.addEventListener("dragenter", (event) => {
    allow(event);
    depth += 1;
    zone.classList.toggle("over", hasFiles(event));
  });
  zone.addEventListener("dragover", allow);
  zone.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) zone.classList.remove("over");
  });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    zone.classList.remove("over");
    onDrop(takeDropped(event.dataTransfer)); // now: it is empty as soon as this handler has returned
  });
}

/** The bar and the line of work in hand. `report(text, share, isFirst)`: share of 0 to 1, null: not known. */
function makeReport({ line, voice, progress }) {
  let quietUntil = 0;
  const report = (text, share, isFirst = false) => {
    const now = performance.now();
    if (!isFirst && now < quietUntil && share !== 1) return;
    quietUntil = now + FRAME_MS;
    setText(line, text);
    if (isFirst) voice.speak(text); // a phase is spoken once, not its every step
    progress.set(share, { "aria-valuetext": text });
  };
  /** A line in between, shown long enough to be read. */
  const remark = (text) => {
    quietUntil = performance.now() + READING_MS;
    setText(line, text);
    voice.speak(text);
  };
  return { report, remark };
}

/** Build the zone within `root`. `onDrop(taken)` gets what was dropped. */
function makeDropZone(root, words, onDrop) {
  const nodes = buildDropNodes(root, words);
  const { report, remark } = makeReport(nodes);
  let current = null; // the work in hand; its `stop` ends it

  const write = (title, text) => {
    setText(nodes.heading, title);
    setText(nodes.line, text);
  };
  const rest = (title, text, state) => {
    const hadFocus = nodes.work.contains(document.activeElement);
    current = null;
    nodes.zone.dataset.state = state;
    write(title, text);
    nodes.voice.speak(title + ". " + text);
    if (hadFocus) nodes.actions.querySelector("button")?.focus();
  };
  /** Say something at rest; never in the middle of work. */
  const say = (title, text) => current || rest(title, text, "idle");
  const fail = (title, text) => current || rest(title, text, "bad");

  const endOf = (error, stopping) => {
    if (stopping.isStopped || error.kind === "stopped") return [words.heading, words.stopped, "idle"];
    if (error.kind === "told") return [error.title, error.text, "bad"];
    if (!error.kind) console.error(error);
    const kind = error.kind in words ? error.kind : "failed";
    return [words[kind], error.said || words[kind + "_hint"], "bad"];
  };
  /** Do `task(stopping)` with the bar shown, and show the line it gives; a second one is refused. */
  const run = async (task) => {
    if (current) return remark(words.busy);
    const stopping = { isStopped: false, stop: () => {} };
    const hadFocus = nodes.actions.contains(document.activeElement);
    current = stopping;
    nodes.zone.dataset.state = "busy";
    if (hadFocus) nodes.cancel.focus();
    try {
      return rest(words.heading, await task(stopping), "idle");
    } catch (error) {
      return rest(...endOf(error, stopping));
    }
  };
  nodes.cancel.addEventListener("click", () => {
    if (!current) return;
    current.isStopped = true;
    remark(words.stopping);
    current.stop();
  });

  const takeOrFail = (found, take) => (found.length ? take(found) : fail(words.nothing, words.nothing_hint));
  listenForDrops(nodes.zone, (taken) => takeOrFail(taken, onDrop));
  guardPage();
  nodes.zone.dataset.state = "idle";

  /** A button in the zone's row. */
  const addButton = (text, onClick, isMain) => {
    const button = make("button", isMain ? "tl-button tl-main" : "tl-button", text, { type: "button" });
    button.addEventListener("click", onClick);
    nodes.actions.append(button);
    return button;
  };
  /** A button that opens the browser's own chooser. */
  const addChooser = (text, attributes, onChosen, isMain) => {
    const input = make("input", "", null, { type: "file", hidden: "", tabindex: "-1", "aria-label": text, ...attributes });
    input.addEventListener("change", () => {
      const chosen = filesOfInput(input);
      input.value = ""; // so that the same choice counts again
      takeOrFail(chosen, onChosen);
    });
    nodes.actions.append(input);
    return addButton(text, () => input.click(), isMain);
  };
  return { node: nodes.zone, run, say, fail, report, write, addButton, addChooser, isBusy: () => current !== null };
}

/** Ends the work with a heading and what to do next. */
function tell(title, text) {
  return Object.assign(new Error(title), { kind: "told", title, text });
}
