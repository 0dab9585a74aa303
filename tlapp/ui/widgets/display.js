// Needs nothing. Reads value, words.
/* What the script of every `Display` begins with: where it draws, what it shows, the words for it. */

const root = element.querySelector(".tl-root");
const value = () => props.value || {};
const words = () => props.words || {};
