/** Which chosen files may become photos, and what to say about the others. The server decides again. */

const NAMES = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP" };

/**
 * @param {Array<{name: string, type: string, size: number}>} files
 * @param {number} already photos the listing has
 * @param {{photos: number, photo_bytes: number, types: string[]}} limits
 * @returns {{accepted: Array, problems: string[]}}
 */
export function sortFiles(files, already, limits) {
  const accepted = [];
  const problems = [];
  let over = 0;
  for (const file of files) {
    const name = shorten(file.name);
    if (!limits.types.includes(file.type)) {
      const types = limits.types.map((type) => NAMES[type] ?? type);
      problems.push(`“${name}” is not a ${listOf(types)} photo.`);
    } else if (file.size > limits.photo_bytes) {
      problems.push(`“${name}” is too big: ${megabytes(file.size)} MB. A photo may have ${megabytes(limits.photo_bytes)} MB.`);
    } else if (file.size === 0) {
      problems.push(`“${name}” is empty.`);
    } else if (already + accepted.length >= limits.photos) {
      over += 1;
    } else {
      accepted.push(file);
    }
  }
  if (over > 0) {
    const left = over === 1 ? "One photo was" : `${over} photos were`;
    problems.push(`A listing has at most ${limits.photos} photos. ${left} left out.`);
  }
  return { accepted, problems };
}

function shorten(name) {
  return name.length > 40 ? `${name.slice(0, 37)}…` : name;
}

function listOf(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function megabytes(bytes) {
  return Math.ceil((bytes / 1024 / 1024) * 10) / 10;
}
