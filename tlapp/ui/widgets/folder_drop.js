// Needs nodes.js, numbers.js, files.js, shrink.js, zip.js, send.js, drop_zone.js. Reads words, value, max_bytes, image_bytes, most_pictures, named_left_out.
/* The Data zone's drop zone: a folder of labelled pictures becomes one zip, which is sent. */

const ENVELOPE_BYTES = 4096; // the request around the zip counts too

const words = props.words;
const zone = makeDropZone(element, words, (taken) => takeIn(taken));

/** "646 pictures in 10 folders". */
function foundText(pictures) {
  const folders = new Set(pictures.map(({ path }) => path.slice(0, path.lastIndexOf("/"))));
  return fill(words.found, {
    pictures: amountWords(pictures.length, words.pictures), folders: amountWords(folders.size, words.folders) });
}

/** Which files are sent, and which stay and why; refuses what can be no set of labelled pictures. */
function chooseFiles(files) {
  const along = files.filter(({ file }) => goesAlong(file));
  const pictures = along.filter(({ file }) => file.size <= props.image_bytes);
  const leftOut = [];
  for (const { path, file } of files) {
    if (!goesAlong(file)) leftOut.push([path, "no_picture"]);
    else if (file.size > props.image_bytes) leftOut.push([path, "too_large"]);
  }
  if (!along.some(({ file }) => PICTURE_ENDINGS.has(endingOf(file.name)) || endingOf(file.name) === ""))
    throw tell(words.nothing, words.nothing_hint);
  if (!pictures.length)
    throw tell(words.too_large, fill(words.picture_too_large_hint, { limit: limitWords(props.image_bytes) }));
  if (pictures.every(({ path }) => !path.includes("/"))) throw tell(words.no_folder, words.no_folder_hint);
  const most = Math.min(props.most_pictures, MOST_ENTRIES);
  if (pictures.length > most) {
    throw tell(amountWords(pictures.length, words.pictures), amountWords(most, words.too_many_hint));
  }
  return { pictures, leftOut };
}

function checkSize(bytes) {
  const limit = Math.min(props.max_bytes, ZIP_BYTES);
  if (bytes + ENVELOPE_BYTES <= limit) return;
  throw tell(words.too_large, fill(words.too_large_hint, { size: sizeWords(bytes), limit: limitWords(limit) }));
}

/** Read, shrink and pack the pictures. */
async function packPictures(pictures, stopping) {
  const label = (done) => fill(words.shrinking, { done: countWords(done), total: amountWords(pictures.length, words.pictures) });
  zone.report(label(0), 0, true);
  const prepared = await prepareAll(pictures, {
    isStopped: () => stopping.isStopped,
    onDone: (done) => zone.report(label(done), done / pictures.length),
  });
  if (stopping.isStopped) throw new SendError("stopped");
  const entries = pictures
    .map(({ path, file }, index) => prepared[index] && { ...prepared[index], path, blob: prepared[index].blob || file })
    .filter(Boolean);
  checkSize(entries.reduce((sum, { size, path }) => sum + size + 2 * path.length + 100, 0));
  const unreadable = pictures.filter((_, index) => !prepared[index]).map(({ path }) => path);
  return { entries, unreadable, ...makeZip(entries) };
}

/** Send the zip; `sentText(bytes)` says how far it is. Then Python hears of it. */
async function sendZip(blob, name, facts, sentText, stopping) {
  zone.report(sentText(0), 0, true);
  const [path] = await sendFiles([blob], "zip", {
    stopping,
    onSent: (bytes) => zone.report(sentText(Math.min(bytes, blob.size)), Math.min(1, bytes / blob.size)),
  });
  props.value = { file: sentFile(path, name, blob.size), name, ...facts };
  trigger("upload", facts);
}

async function sendFolder(found, stopping) {
  const { pictures, leftOut } = chooseFiles(found.files);
  const title = foundText(pictures);
  zone.write(title, "");
  const { blob, ends, entries, unreadable } = await packPictures(pictures, stopping);
  if (!entries.length) throw tell(words.unreadable, words.unreadable_hint);
  const tops = new Set(pictures.map(({ path }) => path.slice(0, path.indexOf("/"))));
  const name = tops.size === 1 ? [...tops][0] : words.folders_name;
  for (const path of [...found.unreadable, ...unreadable]) leftOut.push([path, "unreadable"]);
  const facts = {
    pictures: entries.length, left_out: leftOut.length, left_out_files: leftOut.slice(0, props.named_left_out) };
  const sentText = (bytes) => {
    let done = 0;
    for (let high = ends.length; done < high;) {
      const middle = (done + high) >> 1;
      if (ends[middle] <= bytes) done = middle + 1;
      else high = middle;
    }
    return fill(words.sending, { done: countWords(done), total: amountWords(entries.length, words.pictures), size: sizeWords(bytes) });
  };
  await sendZip(blob, name, facts, sentText, stopping);
  const stayed = facts.left_out ? " " + amountWords(facts.left_out, words.left_out) : "";
  return fill(words.sent, { what: amountWords(entries.length, words.files) }) + stayed;
}

async function sendOwnZip(file, stopping) {
  zone.write(file.name, "");
  if (!isZip(file)) throw tell(fill(words.not_a_zip, { name: file.name }), words.not_a_zip_hint);
  if (!file.size) throw tell(fill(words.empty_zip, { name: file.name }), words.empty_zip_hint);
  checkSize(file.size);
  const sentText = (bytes) => fill(words.sending_zip, { size: sizeWords(bytes), total: sizeWords(file.size) });
  await sendZip(file, file.name.replace(/\.zip$/i, ""), { pictures: 0, left_out: 0 }, sentText, stopping);
  return fill(words.sent, { what: file.name });
}

/** Whatever was dropped or chosen: folders, or one zip. */
function takeIn(taken) {
  zone.run(async (stopping) => {
    zone.write(words.looking, "");
    zone.report(words.looking_hint, null, true);
    const found = await walk(taken, {
      isStopped: () => stopping.isStopped,
      onFound: (count) => zone.report(amountWords(count, words.files), null),
    });
    if (stopping.isStopped) throw new SendError("stopped");
    return sendFound(found, stopping);
  });
}

async function sendFound(found, stopping) {
  const { files } = found;
  const isOneFile = files.length === 1 && !files[0].path.includes("/") && !isPictureFile(files[0].file);
  if (isOneFile) return sendOwnZip(files[0].file, stopping);
  if (files.length > 1 && files.every(({ file }) => isZip(file))) throw tell(words.many_zips, words.many_zips_hint);
  return sendFolder(found, stopping);
}

watch("value", () => {
  if (!props.value) zone.say(words.heading, words.hint); // the page has moved on
});

const sendChosen = (files) => zone.run((stopping) => sendFound({ files, unreadable: [] }, stopping));
zone.addChooser(words.choose_folder, { webkitdirectory: "", multiple: "" }, sendChosen, true);
zone.addChooser(words.choose_zip, { accept: ".zip,application/zip" }, sendChosen);
zone.addButton(words.sample, () => {
  zone.say(words.heading, words.hint);
  trigger("select", { sample: true });
});
