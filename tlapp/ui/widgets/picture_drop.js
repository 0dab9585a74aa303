// Needs nodes.js, numbers.js, files.js, shrink.js, send.js, drop_zone.js. Reads words, value, reasons, most, image_bytes.
/* The Try zone's drop zone: test pictures are dropped, chosen, pasted or taken, and sent as they come. */

const words = props.words;
const zone = makeDropZone(element, words, (taken) => takeIn(taken));

const NAMED_LEFT_OUT = 3; // the rest is counted

const mayBePicture = ({ file }) => isPictureFile(file) || endingOf(file.name) === "";
const isTooLarge = ({ file }) => file.size > props.image_bytes;

/** Which files were not sent, and why; "" when there are none. `leftOut` holds [path, why]. */
function leftOutText(leftOut) {
  const limit = limitWords(props.image_bytes);
  const lines = leftOut.slice(0, NAMED_LEFT_OUT).map(([path, why]) => fill(props.reasons[why], { name: path, limit }));
  const others = leftOut.length - lines.length;
  return [...lines, ...(others ? [amountWords(others, words.more_left_out)] : [])].join(" ");
}

/** Shrink and send up to `props.most` pictures; then Python hears of them. */
async function sendPictures(files, stopping) {
  const along = files.filter(mayBePicture);
  const small = along.filter((each) => !isTooLarge(each));
  if (!along.length) throw tell(words.nothing, words.nothing_hint);
  if (!small.length) throw tell(words.too_large, fill(words.too_large_hint, { limit: limitWords(props.image_bytes) }));
  const pictures = small.slice(0, props.most);
  zone.write(amountWords(pictures.length, words.pictures), "");
  zone.report(words.shrinking, 0, true);
  const prepared = await prepareAll(pictures, {
    isStopped: () => stopping.isStopped,
    onDone: (done) => zone.report(words.shrinking, done / pictures.length),
  });
  if (stopping.isStopped) throw new SendError("stopped");
  const ready = pictures
    .map(({ path, file }, index) => prepared[index] && { name: path.slice(path.lastIndexOf("/") + 1), blob: prepared[index].blob || file })
    .filter(Boolean);
  if (!ready.length) throw tell(words.unreadable, words.unreadable_hint);
  const bytes = ready.reduce((sum, { blob }) => sum + blob.size, 0);
  zone.report(fill(words.sending, { size: sizeWords(0), total: sizeWords(bytes) }), 0, true);
  const paths = await sendFiles(ready.map(({ blob }) => blob), "picture", {
    stopping,
    onSent: (sent) => zone.report(
      fill(words.sending, { size: sizeWords(Math.min(sent, bytes)), total: sizeWords(bytes) }), Math.min(1, sent / Math.max(1, bytes))),
  });
  props.value = ready.map(({ name, blob }, index) => sentFile(paths[index], name, blob.size));
  trigger("upload", { pictures: ready.length });
  const leftOut = [
    ...files.filter((each) => !mayBePicture(each)).map(({ path }) => [path, "no_picture"]),
    ...along.filter(isTooLarge).map(({ path }) => [path, "too_large"]),
    ...pictures.filter((_, index) => !prepared[index]).map(({ path }) => [path, "unreadable"]),
  ];
  const cut = small.length > pictures.length ? amountWords(props.most, words.only_first) : "";
  return [cut, leftOutText(leftOut)].filter(Boolean).join(" ") || words.hint;
}

function takeIn(taken) {
  zone.run(async (stopping) => {
    zone.report(words.looking, null, true);
    const { files } = await walk(taken, { isStopped: () => stopping.isStopped, onFound: () => {} });
    if (stopping.isStopped) throw new SendError("stopped");
    return sendPictures(files, stopping);
  });
}

const sendChosen = (files) => zone.run((stopping) => sendPictures(files, stopping));

/** A picture from the clipboard, wherever on the page one pastes; text fields keep their own pasting. */
function onPaste(event) {
  if (!element.isConnected) return document.removeEventListener("paste", onPaste);
  if (event.defaultPrevented || isTypedInto(event.target) || isTypedInto(document.activeElement)) return undefined;
  const files = Array.from(event.clipboardData?.files || []).filter(isPictureFile);
  if (!files.length) return undefined;
  event.preventDefault();
  return sendChosen(files.map((file) => ({ path: file.name || words.pasted_name, file })));
}
document.addEventListener("paste", onPaste);

/* Webcam */

const camera = make("div", "tl-camera", null, { role: "group", "aria-label": words.webcam });
const video = make("video", "", null, { playsinline: "", muted: "", "aria-label": words.camera_view });
video.muted = true;
const snapButton = make("button", "tl-button tl-main", words.snap, { type: "button" });
const closeButton = make("button", "tl-button", words.close_camera, { type: "button" });
const cameraButtons = make("div");
cameraButtons.append(snapButton, closeButton);
camera.append(video, cameraButtons);
camera.hidden = true;
zone.node.append(camera);
let stream = null;
let snaps = 0;
let isOpening = false;

function closeCamera() {
  for (const track of stream ? stream.getTracks() : []) track.stop();
  stream = null;
  video.srcObject = null;
  camera.hidden = true;
  show(webcamButton, true);
}

async function openCamera() {
  if (!window.isSecureContext || !navigator.mediaDevices) return zone.fail(words.camera_insecure, words.camera_insecure_hint);
  if (isOpening) return undefined;
  isOpening = true;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
    if (!element.isConnected) return closeCamera();
    const [track] = stream.getVideoTracks();
    track.addEventListener("ended", closeCamera);
    video.classList.toggle("mirrored", track.getSettings().facingMode !== "environment");
    video.srcObject = stream;
    camera.hidden = false;
    show(webcamButton, false);
    await video.play();
    snapButton.focus();
    return zone.say(words.heading, words.hint);
  } catch (error) {
    closeCamera();
    const kind = { NotAllowedError: "camera_refused", SecurityError: "camera_refused", NotFoundError: "camera_missing" }[error.name] || "camera_failed";
    return zone.fail(words[kind], words[kind + "_hint"]);
  } finally {
    isOpening = false;
  }
}

/** The picture as the camera sees it, not mirrored as it is shown. */
async function snap() {
  if (!stream || !video.videoWidth || zone.isBusy()) return;
  const canvas = make("canvas", "", null, { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  snaps += 1;
  const name = fill(words.snap_name, { number: String(snaps) });
  sendChosen([{ path: name, file: new File([blob], name, { type: "image/jpeg" }) }]);
}

zone.addChooser(words.choose, { multiple: "", accept: "image/*,.heic,.heif,.avif,.tif,.tiff" }, sendChosen);
const webcamButton = zone.addButton(words.webcam, openCamera);
snapButton.addEventListener("click", snap);
closeButton.addEventListener("click", () => {
  closeCamera();
  webcamButton.focus();
});
camera.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeButton.click();
});
window.addEventListener("pagehide", closeCamera);
