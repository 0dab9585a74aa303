// Needs nothing.
/* A zip without compression (pictures are compressed already), put together from references to files. */

const ZIP_BYTES = 0xffffffff; // beyond this and MOST_ENTRIES the format needs its 64-bit extension
const MOST_ENTRIES = 65_000;

/** One header: [size in bytes, value] fields, little-endian, then the name. */
function zipRecord(fields, name) {
  const record = new Uint8Array(fields.reduce((sum, [size]) => sum + size, 0) + name.length);
  const view = new DataView(record.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
    at += size;
  }
  record.set(name, at);
  return record;
}

/** The zip as a Blob, with `ends`: where in it each entry is complete. Entries: {path, blob, size, crc}. */
function makeZip(entries) {
  const parts = [];
  const directory = [];
  const ends = [];
  let offset = 0;
  let directorySize = 0;
  for (const { path, blob, size, crc } of entries) {
    const name = new TextEncoder().encode(path);
    // version 2.0, names in UTF-8, stored, 1 January 1980, checksum, sizes, length of the name, no extra field
    const common = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc], [4, size], [4, size], [2, name.length], [2, 0]];
    const header = zipRecord([[4, 0x04034b50], ...common], name);
    directory.push(zipRecord([[4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]], name));
    directorySize += directory[directory.length - 1].length;
    parts.push(header, blob);
    offset += header.length + size;
    ends.push(offset);
  }
  const count = entries.length;
  const end = zipRecord(
    [[4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, directorySize], [4, offset], [2, 0]], new Uint8Array());
  return { blob: new Blob([...parts, ...directory, end], { type: "application/zip" }), ends };
}
