// Needs nothing.
/* Nodes of the page, made and kept in step. Text reaches the page by textContent only. */

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** A new element with its class names, text and attributes. */
function make(tag, className, text, attributes) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return setAttributes(node, attributes);
}

/** A new SVG element with its attributes. */
function makeSvg(tag, attributes) {
  return setAttributes(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
}

/** Set what differs, and take away what is null or undefined. Gives the node. */
function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  }
  return node;
}

/** Set the text only when it differs, so that a selection or a live region is left in peace. */
function setText(node, text) {
  if (node.textContent !== String(text ?? "")) node.textContent = String(text ?? "");
}

/** Show or hide; nothing happens when it is already so. */
function show(node, isShown) {
  if (node.hidden === Boolean(isShown)) node.hidden = !isShown;
}

/** "{count} pictures" with the values put in. A value is never searched for braces again. */
function fill(sentence, values) {
  return String(sentence ?? "").replace(/\{(\w+)\}/g, (whole, name) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole);
}

/** Text with **strong** parts into the node, as elements. */
function setRich(node, sentence) {
  if (node.dataset.rich === sentence) return;
  node.dataset.rich = sentence;
  node.replaceChildren(...String(sentence ?? "").split("**").map((part, index) =>
    index % 2 ? make("b", "", part) : document.createTextNode(part)));
}

/** A picture's address: a data URI of an image, or a path of this server. Anything else is dropped. */
function safeAddress(address) {
  const text = String(address ?? "");
  return /^data:image\/(png|jpeg|webp|gif);base64,/.test(text) || /^\/(?![/\\])/.test(text) ? text : "";
}

/** Set a picture's address only when it differs: setting it again would make it flicker. */
function setPicture(image, address) {
  const safe = safeAddress(address);
  if (image.getAttribute("src") !== safe) {
    if (safe) image.setAttribute("src", safe);
    else image.removeAttribute("src");
  }
}

/** A bar that fills: its node, and `set(share, attributes)`: share of 0 to 1, anything else: not known. */
function buildProgress(className) {
  const node = make("div", className, null, { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" });
  const filled = node.appendChild(make("i"));
  function set(share, attributes) {
    const percent = isNumber(share) ? 100 * Math.min(1, Math.max(0, share)) : null;
    const whole = percent === null ? null : Math.round(percent);
    node.classList.toggle("tl-unknown", percent === null);
    node.classList.toggle("tl-jump", Number(node.getAttribute("aria-valuenow")) > whole);
    setAttributes(node, { "aria-valuenow": whole, ...attributes });
    filled.style.width = percent === null ? "" : percent.toFixed(1) + "%";
  }
  return { node, set };
}

/** Bring the parent's children in step with `items`: nodes are kept by key, moved, made or removed. */
function keepInStep(parent, items, keyOf, build, update) {
  const known = parent.keptNodes || (parent.keptNodes = new Map());
  const keys = items.map(keyOf);
  const wanted = new Set(keys);
  for (const [key, node] of [...known]) {
    if (!wanted.has(key)) {
      node.remove();
      known.delete(key);
    }
  }
  items.forEach((item, index) => {
    let node = known.get(keys[index]);
    if (!node) {
      node = build(item, index);
      known.set(keys[index], node);
    }
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
    update(node, item, index);
  });
}

/** Where the server answers to this route of Gradio's. */
function serverAddress(route) {
  const config = window.gradio_config || {};
  return (config.root || "").replace(/\/$/, "") + (config.api_prefix ?? "/gradio_api") + route;
}

/** A name that no other element of the page has. */
function freshId(prefix) {
  return prefix + "-" + Math.random().toString(36).slice(2, 10);
}
