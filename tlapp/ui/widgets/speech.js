// Needs nodes.js.
/* The one way to tell screen readers what goes on. */

const SPEAK_MS = 5000; // a running sentence is heard at most this often

/** A line that is heard and not seen, and `speak(text, topic)`: at once when the topic is another one
    (left out: the text itself), else in a calm rhythm, and then the newest text only. */
function makeVoice() {
  const node = make("p", "tl-hidden", null, { role: "status" });
  let topicSpoken;
  let spokenAt = 0;
  let later = 0;
  function speak(text, topic = text) {
    clearTimeout(later);
    const wait = spokenAt + SPEAK_MS - performance.now();
    if (topic === topicSpoken && wait > 0) {
      later = setTimeout(() => speak(text, topic), wait);
      return;
    }
    topicSpoken = topic;
    spokenAt = performance.now();
    setText(node, text);
  }
  return { node, speak };
}
