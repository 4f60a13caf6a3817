/**
 * Drafts on the merchant's device: they survive a reload and signing out, belong to one account, and are never sent
 * anywhere by this file. No DOM. Nothing here throws at the page: what could not be kept is said in the answer.
 */
import { deviceStorage, memoryStorage } from "./drafts_storage.js";

const SCHEMA = 1;
const MAX_DRAFTS = 40;
const MAX_PHOTO_BYTES = 500 * 1024 * 1024; // all drafts of an account together
const TEXT_BYTES = 100 * 1024;
const CHANNEL = "marketplace-drafts";

/**
 * @param {{owner: string, indexedDB?: IDBFactory, channel?: BroadcastChannel|null, now?: () => number}} options
 *   owner: the account; another account on the same device sees none of these drafts
 */
export async function openDrafts({ owner, indexedDB, channel = openChannel(), now = Date.now }) {
  let storage;
  try {
    // Reading the global may throw by itself where storage is blocked. null asks for memory.
    storage = await deviceStorage(indexedDB === undefined ? globalThis.indexedDB : indexedDB);
    await storage.all(owner);
  } catch {
    storage = memoryStorage();
  }
  const tab = crypto.randomUUID();
  const tell = (key, kind, version = 0) => {
    try {
      channel?.postMessage({ tab, owner, key, kind, version });
    } catch {
      // A closed channel: other tabs find out from the version when they save.
    }
  };

  /**
   * Keep a draft. baseVersion is the version this tab last loaded or saved (0 for a new draft).
   * @param {{fields: object, photos: Array<object>, meta?: object}} content photos in order: {id, name, type, size,
   *   alt, blob, before} for a file, {id, server: true, alt} for a photo that the account already holds. before: the id
   *   of the file that this one was made from; it stays until this one is on the disk
   * @returns {Promise<object>} {status: "saved", version, savedAt, lostPhotos: [id], removed: [title]}
   *   or {status: "conflict", version, savedAt}: another tab saved since; nothing was changed
   *   or {status: "failed", reason: "full"|"blocked"}: not even the text could be kept
   */
  async function save(key, content, baseVersion) {
    let other = null;
    const photos = content.photos.map(({ blob: _blob, ...rest }) => rest);
    const change = (current) => {
      if ((current?.version ?? 0) !== baseVersion) {
        other = { status: "conflict", version: current?.version ?? 0, savedAt: current?.savedAt ?? 0 };
        return null;
      }
      const meta = { ...current?.meta, ...content.meta };
      const version = baseVersion + 1;
      return { owner, key, schema: SCHEMA, version, savedAt: now(), fields: content.fields, photos, meta };
    };
    let record;
    try {
      record = await withRoom(key, () => storage.exchange(owner, key, change));
    } catch (error) {
      return { status: "failed", reason: isFull(error) ? "full" : "blocked" };
    }
    if (other) return other;
    const lostPhotos = await putPhotos(key, content.photos);
    // Last, so that a page which is closed half-way, or a disk that is full, has the earlier file of a photo.
    const wanted = new Set(content.photos.flatMap(({ id, before }) => (lostPhotos.includes(id) ? [id, before] : [id])));
    await removePhotos(key, (id) => !wanted.has(id));
    const removed = baseVersion === 0 ? await prune(key) : [];
    tell(key, "saved", record.version);
    return { status: "saved", version: record.version, savedAt: record.savedAt, lostPhotos, removed };
  }

  // Text matters more than photos: when the disk is full, this draft's photos make room for it.
  async function withRoom(key, write) {
    try {
      return await write();
    } catch (error) {
      if (!isFull(error)) throw error;
      const ids = await storage.photoIds(owner, key);
      if (ids.length === 0) throw error;
      for (const id of ids) await storage.removePhoto(owner, key, id);
      return write();
    }
  }

  /** @returns {Promise<Array<string>>} the ids of those that could not be kept */
  async function putPhotos(key, photos) {
    const lost = [];
    try {
      const kept = new Set(await storage.photoIds(owner, key));
      let room = MAX_PHOTO_BYTES - (await photoBytes(key));
      let left = await diskRoom();
      for (const { id, blob, server } of photos) {
        if (server) continue;
        room -= blob?.size ?? 0;
        if (kept.has(id)) continue;
        const mayFit = blob && room >= 0 && blob.size <= left;
        if (mayFit && (await keepPhoto(key, id, blob))) left -= blob.size;
        else lost.push(id);
      }
    } catch {
      return photos.filter((photo) => !photo.server).map((photo) => photo.id);
    }
    return lost;
  }

  async function removePhotos(key, isUnwanted) {
    try {
      for (const id of (await storage.photoIds(owner, key)).filter(isUnwanted)) await storage.removePhoto(owner, key, id);
    } catch {
      // Tidying can wait.
    }
  }

  /** Bytes that photos may take: some are kept free for text. Trying one that does not fit takes room for a while. */
  async function diskRoom() {
    try {
      const { quota, usage } = await navigator.storage.estimate();
      return quota - usage - TEXT_BYTES;
    } catch {
      return Infinity; // a browser that does not tell
    }
  }

  async function keepPhoto(key, id, blob) {
    try {
      await storage.putPhoto(owner, key, id, blob);
      return true;
    } catch {
      return false;
    }
  }

  async function photoBytes(exceptKey) {
    const drafts = await storage.all(owner);
    const sizes = drafts.filter((draft) => draft.key !== exceptKey).flatMap((draft) => draft.photos);
    return sizes.reduce((sum, photo) => sum + (photo.size ?? 0), 0);
  }

  async function prune(keepKey) {
    const removed = [];
    try {
      const drafts = (await storage.all(owner)).filter((draft) => draft.key !== keepKey);
      drafts.sort((a, b) => b.savedAt - a.savedAt);
      for (const draft of drafts.slice(MAX_DRAFTS - 1)) {
        await storage.remove(owner, draft.key);
        removed.push(draft.fields.title ?? "");
      }
    } catch {
      // Tidying can wait.
    }
    return removed;
  }

  /** The draft with its photos' blobs, or null. A photo whose blob is gone is counted in `missing`; one that has only its earlier
   * file comes with that one's id and isEarlier. */
  async function load(key) {
    try {
      const record = await storage.get(owner, key);
      if (!record || record.schema > SCHEMA) return null;
      const photos = [];
      let missing = 0;
      for (const photo of record.photos) {
        if (photo.server) {
          photos.push(photo);
          continue;
        }
        const blob = await storage.getPhoto(owner, key, photo.id);
        const earlier = blob || !photo.before ? null : await storage.getPhoto(owner, key, photo.before);
        if (blob) photos.push({ ...photo, blob });
        else if (earlier) photos.push({ ...photo, id: photo.before, blob: earlier, isEarlier: true });
        else missing += 1;
      }
      const { version, savedAt, fields, meta } = record;
      return { key, version, savedAt, fields, photos, meta, missing };
    } catch {
      return null;
    }
  }

  /** Newest first: {key, title, savedAt, photos, meta}. */
  async function list() {
    try {
      const drafts = (await storage.all(owner)).filter((draft) => draft.schema <= SCHEMA);
      drafts.sort((a, b) => b.savedAt - a.savedAt);
      return drafts.map(({ key, fields, savedAt, photos, meta }) => {
        return { key, title: fields.title ?? "", savedAt, photos: photos.length, meta };
      });
    } catch {
      return [];
    }
  }

  async function remove(key) {
    try {
      await storage.remove(owner, key);
      tell(key, "removed");
      return true;
    } catch {
      return false;
    }
  }

  /** Remember something about a draft (such as its version in the account) without counting it as a change. */
  async function note(key, meta) {
    try {
      const add = (current) => (current ? { ...current, meta: { ...current.meta, ...meta } } : null);
      return (await storage.exchange(owner, key, add)) !== null;
    } catch {
      return false;
    }
  }

  /**
   * Hear about the same draft in other tabs: onOther({kind: "open"|"saved"|"removed", version}).
   * @param {() => string} currentKey asked each time, since a tab may move to a copy
   */
  function watch(currentKey, onOther) {
    channel?.addEventListener("message", ({ data }) => {
      if (!data || data.tab === tab || data.owner !== owner || data.key !== currentKey()) return;
      if (data.kind === "opening") tell(data.key, "open");
      onOther({ kind: data.kind === "opening" ? "open" : data.kind, version: data.version });
    });
    tell(currentKey(), "opening");
  }

  return {
    durable: storage.durable,
    save,
    load,
    list,
    remove,
    note,
    watch,
    close: () => {
      channel?.close();
      storage.close();
    },
  };
}

function openChannel() {
  try {
    return new BroadcastChannel(CHANNEL);
  } catch {
    return null;
  }
}

function isFull(error) {
  return error?.name === "QuotaExceededError" || error?.inner?.name === "QuotaExceededError";
}
