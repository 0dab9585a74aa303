// Needs nodes.js.
/* Sending: one request to Gradio's upload route, with real progress, and errors that have a kind. */

/** An end that is told to the person: "lost", "too_large", "refused" or "stopped"; `said` are the server's words for it. */
class SendError extends Error {
  constructor(kind, said = "") {
    super(kind);
    this.kind = kind;
    this.said = said;
  }
}

/** A name that nobody can guess and no other upload has: uploads of all visitors share one folder. */
function uploadName(ending) {
  const numbers = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(numbers, (number) => number.toString(16).padStart(2, "0")).join("") + "." + ending;
}

/** Send the blobs as files in one request; gives their paths. `onSent(bytes)`; `stopping.stop` is set to abort it. */
function sendFiles(blobs, ending, { onSent, stopping }) {
  const form = new FormData();
  for (const blob of blobs) form.append("files", blob, uploadName(ending));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onerror = () => reject(new SendError("lost"));
    request.onabort = () => reject(new SendError("stopped"));
    request.onload = () => {
      if (request.status === 413) return reject(new SendError("too_large"));
      const answer = readJson(request.responseText);
      if (request.status !== 200 || answer?.length !== blobs.length) return reject(new SendError("refused", answer?.error));
      return resolve(answer);
    };
    stopping.stop = () => request.abort();
    request.open("POST", serverAddress("/upload"));
    request.send(form);
  });
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A sent file as Gradio wants to hear of it; `name` is what the person calls it. */
function sentFile(path, name, size) {
  return { path, orig_name: name, size, meta: { _type: "gradio.FileData" } };
}
