// Needs nothing.
/* Big photos are made small before they are sent; everything is given its CRC-32 for the zip. */

const SHRINK_RULE = {
  bytes: 600e3, // larger files are shrunk
  shortSide: 1024, // so are pictures with more pixels than this on their short side
  target: 512, // short side afterwards; the server works with 384
  quality: 0.92,
  mostPixels: 130e6, // beyond this the browser is spared; the server says what is wrong with it
};
const MOST_HELPERS = 6; // pictures in work at the same time, at most
const HEAVY_BYTES = 12e6; // pictures above this are decoded one at a time: one may take half a gigabyte
const PATIENCE_MS = 30e3; // a picture that takes longer is sent as it is

/** The work on one picture. Self-contained: its source text also runs in the helpers. */
function pictureWork() {
  const table = Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    return value;
  });

  function crc32(bytes) {
    let crc = 0xffffffff;
    for (let i = 0; i < bytes.length; i += 1) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    return (crc ^ 0xffffffff) >>> 0;
  }

  /** [width, height] from the header of a PNG or JPEG; null when it does not say. */
  function sizeInHeader(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length > 24 && view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)];
    if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
    let at = 2;
    while (at + 9 < bytes.length && bytes[at] === 0xff) {
      const marker = bytes[at + 1];
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
      at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
    }
    return null;
  }

  /** A JPEG without its end mark: some browsers would fill the missing part with grey. */
  function isCutOff(bytes) {
    if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return false;
    let at = bytes.length - 2;
    while (at > bytes.length / 2 && (bytes[at] !== 0xff || bytes[at + 1] !== 0xd9)) at -= 1;
    return at <= bytes.length / 2;
  }

  function wantsShrinking(file, bytes, rule) {
    if (isCutOff(bytes)) return false;
    const size = sizeInHeader(bytes);
    if (size && size[0] * size[1] > rule.mostPixels) return false;
    if (/\.(avif|heic|heif)$/i.test(file.name)) return true; // the browser may be able to read what the server cannot
    return bytes.length > rule.bytes || (size !== null && Math.min(...size) > rule.shortSide);
  }

  /** A small upright JPEG; null when the browser cannot read the picture or it would not get smaller. */
  async function shrink(file, rule) {
    let bitmap = null;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, rule.target / Math.min(bitmap.width, bitmap.height));
      const canvas = new OffscreenCanvas(
        Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale)));
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff"; // what the server puts behind transparent pictures too
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.imageSmoothingQuality = "high";
      pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const small = await canvas.convertToBlob({ type: "image/jpeg", quality: rule.quality });
      return small.size < file.size ? small : null;
    } catch {
      return null;
    } finally {
      if (bitmap) bitmap.close();
    }
  }

  /** `blob` is null when the file itself is to be sent. Fails when the file cannot be read. */
  return async function work(file, rule) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const blob = rule && wantsShrinking(file, bytes, rule) ? await shrink(file, rule) : null;
    const sent = blob ? new Uint8Array(await blob.arrayBuffer()) : bytes;
    return { blob, size: sent.length, crc: crc32(sent) };
  };
}

/** A thread that works on one picture at a time; `run` works here when there can be no thread. */
function makeHelper() {
  const workHere = pictureWork();
  let thread = null;
  const start = () => {
    const source = `const work = (${pictureWork})();
      onmessage = ({ data }) => work(data.file, data.rule).then(
        (done) => postMessage({ done }), (error) => postMessage({ failed: String(error) }));`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    try {
      thread = new Worker(address);
    } catch {
      thread = null; // forbidden here: slower, but it works
    } finally {
      URL.revokeObjectURL(address);
    }
  };
  const stop = () => {
    if (thread) thread.terminate();
    thread = null;
  };
  const inThread = (file, rule) => new Promise((resolve, reject) => {
    const giveUp = () => {
      stop();
      reject(new Error("no answer"));
    };
    const timer = setTimeout(giveUp, PATIENCE_MS);
    thread.onerror = (event) => {
      event.preventDefault();
      clearTimeout(timer);
      giveUp();
    };
    thread.onmessage = ({ data }) => {
      clearTimeout(timer);
      if (data.done) resolve(data.done);
      else reject(new Error(data.failed));
    };
    thread.postMessage({ file, rule });
  });
  const run = async (file, rule) => {
    if (!thread) start();
    if (!thread) return workHere(file, rule);
    return inThread(file, rule).catch(() => workHere(file, null));
  };
  return { run, stop };
}

/** Prepare all pictures, several at a time, in their order; a file that cannot be read gives null. */
async function prepareAll(pictures, { isStopped, onDone }) {
  const results = new Array(pictures.length).fill(null);
  const helpers = Array.from(
    { length: Math.max(1, Math.min(navigator.hardwareConcurrency || 2, MOST_HELPERS, pictures.length)) }, makeHelper);
  let next = 0;
  let done = 0;
  let heavy = Promise.resolve();
  const lane = async (helper) => {
    while (next < pictures.length && !isStopped()) {
      const index = next;
      next += 1;
      const { file } = pictures[index];
      const run = () => helper.run(file, SHRINK_RULE).catch(() => null);
      if (file.size > HEAVY_BYTES) results[index] = await (heavy = heavy.then(run));
      else results[index] = await run();
      done += 1;
      onDone(done);
    }
  };
  try {
    await Promise.all(helpers.map(lane));
  } finally {
    for (const helper of helpers) helper.stop();
  }
  return results;
}
