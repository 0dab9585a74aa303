"""What stands on a page in the pseudo-language: the words outside of its brackets, and what is cut
off."""

import re
from collections.abc import Iterable, Sequence

from playwright.sync_api import Page

# Everything that a person sees or hears: the text of each block, and the words of attributes.
# A text in parts (`<b>`) is one text; an invisible element says nothing.
_TEXTS = """() => {
  const said = [["title", document.title]];
  const place = (node) => {
    const named = node.closest("[id]:not([id^='component-'], [id^='html-'])");
    const own = node.classList[0] ? "." + node.classList[0] : "";
    return (named ? "#" + named.id : "") + " " + node.tagName.toLowerCase() + own;
  };
  const shown = { visibilityProperty: true, opacityProperty: true };
  const isSeen = (node) => node.checkVisibility(shown);
  const isInline = (node) => ["inline", "contents"].includes(getComputedStyle(node).display);
  // The heading of a toast is its kind, in Gradio's own English.
  const isInvisible = (node) =>
    node.closest("script, style, noscript, template, .toast-title") !== null;
  const blocks = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    let block = text.parentElement;
    const title = block.closest("svg title, svg desc");
    if (!text.data.trim() || isInvisible(block)) continue;
    if (!isSeen(title ? title.parentElement : block)) continue;
    while (!title && isInline(block) && block.parentElement) block = block.parentElement;
    blocks.set(block, (blocks.get(block) ?? "") + text.data);
  }
  for (const [block, text] of blocks) said.push([place(block), text]);
  const names = ["aria-label", "aria-description", "aria-roledescription", "aria-valuetext",
    "title", "placeholder", "alt", "label"];
  for (const node of document.querySelectorAll(names.map((name) => `[${name}]`).join(","))) {
    if (!isSeen(node) || isInvisible(node)) continue;
    for (const name of names) {
      const text = node.getAttribute(name);
      if (text?.trim()) said.push([`${place(node)} ${name}`, text]);
    }
  }
  return said;
}"""

# Elements that hide what they cannot hold, but for those that only screen readers see, and for
# names of any length, which are told in full when they are pointed at.
_CUT_OFF = """() => [...document.querySelectorAll("body *")].filter((node) => {
  if (node.scrollWidth <= node.clientWidth + 1 || node.clientWidth <= 1) return false;
  const style = getComputedStyle(node);
  const hides = ["hidden", "clip"].includes(style.overflowX);
  const text = node.innerText?.trim();
  return hides && text && text !== node.title && node.checkVisibility({ visibilityProperty: true });
}).map((node) => {
  const named = node.closest("[id]:not([id^='component-'], [id^='html-'])");
  const text = node.innerText.trim().replace(/\\s+/g, " ").slice(0, 60);
  return `${named ? "#" + named.id : ""} ${node.tagName.toLowerCase()}.${node.classList[0] ?? ""} `
    + `${node.scrollWidth} > ${node.clientWidth}: ${text}`;
})"""

_WORD = re.compile(r"[^\W\d_]{2,}")


def texts(page: Page) -> list[tuple[str, str]]:
    """Where something is said on the page, and what."""
    return [(place, text) for place, text in page.evaluate(_TEXTS)]


def cut_off(page: Page) -> list[str]:
    """The elements whose words do not fit, and that hide the rest."""
    found: list[str] = page.evaluate(_CUT_OFF)
    return found


def words_outside(text: str, allowed: Iterable[re.Pattern[str]]) -> Sequence[str]:
    """The words of two letters or more that stand in no brackets and are not allowed."""
    depth, outside = 0, []
    for character in text:
        if character == "]":
            depth -= 1
        if depth < 0:
            return [text]
        if depth == 0 and character not in "[]":
            outside.append(character)
        elif depth == 0:
            outside.append(" ")
        if character == "[":
            depth += 1
    if depth:
        return [text]
    rest = "".join(outside)
    for pattern in allowed:
        rest = pattern.sub(" ", rest)
    return _WORD.findall(rest)
