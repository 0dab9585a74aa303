// Needs nothing.
/* Which files come along: walks dropped or chosen folders, leaves junk and what is no picture behind. */

const PICTURE_ENDINGS = new Set(
  "jpg jpeg jpe jfif png apng webp gif bmp dib tif tiff mpo heic heif avif".split(" "));
const OTHER_ENDINGS = new Set((
  "txt md csv tsv json jsonl xml yaml yml toml ini cfg log html htm css js py ipynb pdf doc docx odt rtf " +
  "xls xlsx ods ppt pptx odp zip 7z rar tar gz tgz bz2 xz mp4 m4v mov avi mkv webm mp3 wav m4a ogg flac " +
  "exe dll so bin npy npz pkl pt pth h5 onnx safetensors db sqlite lnk url").split(" "));
const JUNK_NAMES = new Set([
  "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin",
  "system volume information", "@eadir"]);
const UNKNOWN_BYTES = 1e6; // a file of an unknown kind up to this size goes along, so that the server can list it
const DEEPEST = 24; // folders within folders; a loop of links ends here
const AT_ONCE = 64; // entries of a folder asked for at the same time

/** Hidden files and what operating systems leave in folders. */
function isJunk(name) {
  return name.startsWith(".") || JUNK_NAMES.has(name.toLowerCase());
}

/** "jpg" of "a/b.JPG"; "" when there is none. */
function endingOf(name) {
  const base = name.slice(name.lastIndexOf("/") + 1);
  const dot = base.lastIndexOf(".");
  return dot > 0 ? base.slice(dot + 1).toLowerCase() : "";
}

function isZip(file) {
  return endingOf(file.name) === "zip";
}

function isPictureFile(file) {
  const ending = endingOf(file.name);
  return PICTURE_ENDINGS.has(ending) || (!OTHER_ENDINGS.has(ending) && /^image\//.test(file.type));
}

/** Whether a file found in a folder is sent. */
function goesAlong(file) {
  const ending = endingOf(file.name);
  if (PICTURE_ENDINGS.has(ending) || ending === "") return true;
  return !OTHER_ENDINGS.has(ending) && file.size <= UNKNOWN_BYTES;
}

/** What was dropped, as entries or files. Must run before the drop handler returns. */
function takeDropped(transfer) {
  const taken = [];
  for (const item of Array.from(transfer.items || [])) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry ? item.webkitGetAsEntry() : null;
    const found = entry || item.getAsFile();
    if (found) taken.push(found);
  }
  return taken.length ? taken : Array.from(transfer.files || []);
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** All entries of a folder: readEntries gives them a hundred at a time. */
async function entriesOf(directory) {
  const reader = directory.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}

/** Files with their paths from what was dropped. `isStopped` ends the walk; `onFound(count)` hears of it. */
async function walk(dropped, { isStopped, onFound }) {
  let count = 0;
  const unreadable = [];
  const visit = async (entry, folder, depth) => {
    if (isStopped() || isJunk(entry.name)) return [];
    const path = folder ? folder + "/" + entry.name : entry.name;
    try {
      if (entry.isDirectory) return depth < DEEPEST ? await visitAll(await entriesOf(entry), path, depth + 1) : [];
      const file = entry.isFile ? await fileOf(entry) : entry;
      count += 1;
      onFound(count);
      return [{ path, file }];
    } catch {
      unreadable.push(path); // no permission, or gone since
      return [];
    }
  };
  const visitAll = async (entries, folder, depth) => {
    const found = [];
    for (let start = 0; start < entries.length; start += AT_ONCE) {
      const some = entries.slice(start, start + AT_ONCE).map((entry) => visit(entry, folder, depth));
      for (const files of await Promise.all(some)) {
        for (const file of files) found.push(file); // not spread: a folder may hold very many
      }
    }
    return found;
  };
  return { files: await visitAll(dropped, "", 0), unreadable };
}

/** The same for the files of `<input webkitdirectory>` or `<input multiple>`. */
function filesOfInput(input) {
  return Array.from(input.files)
    .map((file) => ({ path: file.webkitRelativePath || file.name, file }))
    .filter(({ path }) => !path.split("/").some(isJunk));
}
