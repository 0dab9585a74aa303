// Needs nodes.js, numbers.js, display.js. Reads value, words.
/* Classes with their pictures. Rows are kept by name; editing happens in the row itself. */

let isEditing = false;
let open = null; // { name, kind: "rename" | "merge" | "remove", taken? }: the one row that asks something
let shownDataset = null;
let focusNext = null; // [class name, action] to focus after the server answered

const top_ = make("div", "tl-cl-top");
const summary = make("p", "tl-say tl-cl-summary");
const editButton = make("button", "tl-button tl-cl-edit", null, { type: "button" });
const undoButton = make("button", "tl-button tl-cl-edit", null, { type: "button" });
top_.append(summary, undoButton, editButton);
const scroller = make("div", "tl-cl-scroll");
const list = make("ul", "tl-cl-list");
scroller.append(list);
const notes = make("ul", "tl-cl-notes");
const skipped = make("details", "tl-cl-skipped");
const skippedSummary = make("summary");
const skippedLine = make("span");
const skippedShow = make("span", "tl-cl-show");
skippedSummary.append(skippedLine, document.createTextNode(" "), skippedShow);
const skippedList = make("ul", "tl-cl-skipped-list", null, { tabindex: "0" });
const skippedRest = make("p", "tl-soft tl-cl-rest");
skipped.append(skippedSummary, skippedList, skippedRest);
root.append(top_, scroller, skipped, notes);

const classes = () => value().classes || [];
const indexOf = (name) => classes().findIndex((row) => row.name === name);

function emit(edit) {
  open = null;
  trigger('edit', edit);
  render();
}

/* --- A row ---------------------------------------------------------------------------------- */

function buildRow(row) {
  const node = make("li", "tl-cl-row");
  const name = make("span", "tl-cl-name", row.name, { title: row.name });
  const pictures = make("span", "tl-cl-pictures", null, { "aria-hidden": "true" });
  const count = make("span", "tl-cl-count", null, { role: "img" });
  node.append(name, pictures, count);
  node.parts = { name, pictures, count, asked: "" };
  return node;
}

function updateRow(node, row) {
  const { pictures, count } = node.parts;
  keepInStep(pictures, row.thumbnails || [], (address, index) => index,
    () => make("img", "", null, { alt: "", loading: "lazy", decoding: "async", width: "36", height: "36" }),
    (image, address) => setPicture(image, address));
  setText(count, countWords(row.count));
  count.setAttribute("aria-label", amountWords(row.count, words().pictures));
  const asked = isEditing ? (open && open.name === row.name ? open.kind : "actions") : "";
  if (asked === node.parts.asked) return;
  node.parts.asked = asked;
  node.querySelector(".tl-cl-ask")?.remove();
  node.classList.toggle("tl-cl-asking", asked !== "" && asked !== "actions");
  node.classList.toggle("tl-cl-editing", asked !== "");
  if (asked) node.append(askers[asked](row));
}

function actionButton(row, kind, label) {
  const button = make("button", "tl-button", words()[kind],
    { type: "button", "data-action": kind, "aria-label": fill(label, { name: row.name }) });
  button.addEventListener("click", () => ask(row.name, kind));
  return button;
}

const askers = {
  actions(row) {
    const box = make("span", "tl-cl-ask");
    box.append(actionButton(row, "rename", words().rename_class));
    if (classes().length > 1) box.append(actionButton(row, "merge", words().merge_class));
    box.append(actionButton(row, "remove", words().remove_class));
    return box;
  },
  rename(row) {
    const box = make("form", "tl-cl-ask");
    const input = make("input", "tl-cl-input", null, { type: "text",
      autocomplete: "off", "aria-label": fill(words().name_label, { name: row.name }) });
    input.value = row.name;
    box.append(input, make("button", "tl-button tl-main", words().save, { type: "submit" }), cancelButton(row));
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (!name || name === row.name) return stopAsking(row.name, "rename");
      const other = classes().find((each) => each.name !== row.name && isSameName(each.name, name));
      if (other) return ask(row.name, "merge", other.name);
      focusNext = [name, "rename"];
      emit({ action: "rename", index: indexOf(row.name), class_name: row.name, name });
    });
    return box;
  },
  merge(row) {
    const box = make("form", "tl-cl-ask");
    const label = make("label", "tl-cl-into",
      (open?.taken ? fill(words().name_taken, { name: open.taken }) : words().merge_into) + " ");
    const select = make("select", "tl-cl-input");
    classes().forEach((other, index) => {
      if (other.name !== row.name) select.append(make("option", "", other.name, { value: index }));
      if (other.name === open?.taken) select.value = index;
    });
    label.append(select);
    box.append(label, make("button", "tl-button tl-main", words().merge, { type: "submit" }), cancelButton(row));
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      const target = Number(select.value);
      focusNext = [classes()[target].name, "merge"];
      emit({ action: "merge", index: indexOf(row.name), class_name: row.name, target });
    });
    return box;
  },
  remove(row) {
    const box = make("span", "tl-cl-ask");
    const yes = make("button", "tl-button tl-danger", words().remove,
      { type: "button", "aria-label": fill(words().remove_class, { name: row.name }) });
    yes.addEventListener("click", () => {
      const names = classes().map((each) => each.name);
      const index = names.indexOf(row.name);
      focusNext = [names[index + 1] ?? names[index - 1], "remove"];
      emit({ action: "remove", index, class_name: row.name });
    });
    box.append(make("span", "tl-cl-question", words().remove_question), yes, cancelButton(row));
    return box;
  },
};

function cancelButton(row) {
  const button = make("button", "tl-button", words().cancel, { type: "button" });
  button.addEventListener("click", () => stopAsking(row.name, open?.kind));
  return button;
}

/** Whether people and some disks take these names for the same. */
const isSameName = (one, other) => one.normalize("NFC").toLowerCase() === other.normalize("NFC").toLowerCase();

function ask(name, kind, taken) {
  open = { name, kind, taken };
  render();
  const field = rowOf(name)?.querySelector(".tl-cl-ask input, .tl-cl-ask select, .tl-cl-ask button");
  field?.focus();
  if (kind === "rename") field?.select();
}

function stopAsking(name, kind) {
  open = null;
  render();
  focusAction(name, kind);
}

const rowOf = (name) => list.keptNodes?.get(name);
const focusAction = (name, kind) =>
  rowOf(name)?.querySelector(`[data-action="${kind}"]`)?.focus();

/* --- The list ------------------------------------------------------------------------------- */

function render() {
  const { classes: rows, dataset, can_edit: canEdit = true, can_undo: canUndo, summary: said } = value();
  show(root, rows);
  if (!rows) return;
  if (!canEdit || dataset !== shownDataset) isEditing = false;
  if (dataset !== shownDataset) skipped.open = false;
  shownDataset = dataset;
  if (!isEditing) open = null;
  setText(summary, said);
  show(editButton, canEdit && rows.length);
  setText(editButton, isEditing ? words().done : words().edit);
  editButton.setAttribute("aria-pressed", String(isEditing));
  show(undoButton, canEdit && canUndo);
  setText(undoButton, words().undo);
  undoButton.setAttribute("title", words().undo_last);
  root.classList.toggle("tl-cl-edits", isEditing);
  list.setAttribute("aria-label", words().list);
  keepInStep(list, rows, (row) => row.name, buildRow, updateRow);
  const isLong = rows.length > 8;
  scroller.classList.toggle("tl-long", isLong);
  scroller.classList.toggle("tl-huge", rows.length > 100); // rows out of sight cost nothing
  setAttributes(scroller, isLong ? { tabindex: 0, role: "group", "aria-label": words().list }
    : { tabindex: null, role: null, "aria-label": null });
  renderRemarks();
  if (focusNext && rowOf(focusNext[0]) && document.activeElement === document.body) {
    focusAction(...focusNext);
    focusNext = null;
  }
}

function renderRemarks() {
  const { notes: remarks = [], skipped_line: line, skipped: left = [], skipped_rest: rest } = value();
  show(notes, remarks.length);
  keepInStep(notes, remarks, (note, index) => index, () => make("li"),
    (node, note) => setText(node, note));
  show(skipped, line);
  setText(skippedLine, line);
  setText(skippedShow, words().show);
  show(skippedShow, left.length);
  skippedList.setAttribute("aria-label", line || "");
  setText(skippedRest, rest);
  show(skippedRest, rest);
  if (skipped.open) renderSkipped();
}

function renderSkipped() {
  keepInStep(skippedList, value().skipped || [], (row, index) => index,
    () => { const node = make("li"); node.append(make("span"), make("b"), make("span")); return node; }, renderSkippedRow);
}

/** A sentence with the file's name in bold where it stands; a name that does not stand in it comes first. */
function renderSkippedRow(node, { name, reason }) {
  const at = reason.indexOf(name);
  const [before, after] = at < 0 ? ["", " " + reason] : [reason.slice(0, at), reason.slice(at + name.length)];
  [before, name, after].forEach((text, index) => setText(node.children[index], text));
}

skipped.addEventListener("toggle", renderSkipped);
editButton.addEventListener("click", () => {
  isEditing = !isEditing;
  render();
});
list.addEventListener("keydown", (event) => {
  const row = event.target.closest(".tl-cl-row");
  if (event.key === "Escape" && open) {
    event.stopPropagation();
    stopAsking(open.name, open.kind);
  }
  const action = event.target.dataset.action;
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (action && step) {
    event.preventDefault();
    row[step]?.querySelector(`[data-action="${action}"]`)?.focus();
  }
});
list.addEventListener("dblclick", (event) => {
  const row = event.target.closest(".tl-cl-row");
  if (!row || value().can_edit === false || !event.target.closest(".tl-cl-name")) return;
  isEditing = true;
  ask(row.parts.name.textContent, "rename");
});

undoButton.addEventListener("click", () => {
  editButton.focus();
  emit({ action: "undo" });
  show(undoButton, false); // until the server has answered: the change can be taken back once
});

watch("value", render);
render();
