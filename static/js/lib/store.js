/*
 * Where the outbox keeps its entries: IndexedDB, or memory where a browser keeps nothing (`is_durable` tells which).
 *
 * An entry is any object; the store gives it an `id` that grows. Beside them it remembers what was saved under which
 * key, so that a later correction knows its rating.
 */

const REMEMBERED_MS = 48 * 3600 * 1000; // a rating can be revised for 24 hours

export async function openStore(name = "kudoscope") {
  try {
    return storeIn(await open(name));
  } catch {
    return storeInMemory();
  }
}

function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("outbox", { keyPath: "id", autoIncrement: true });
    request.result.createObjectStore("saved", { keyPath: "key" });
  };
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

function storeIn(database) {
  database.onversionchange = () => database.close();

  /* Resolves when the change is on disk, not when it is made: a rating must survive what happens next. */
  function write(table, change) {
    const transaction = database.transaction(table, "readwrite", { durability: "strict" });
    const request = change(transaction.objectStore(table));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    });
  }

  const read = (table, query) => done(query(database.transaction(table).objectStore(table)));

  return {
    is_durable: true,
    add: (entry) => write("outbox", (table) => table.add(entry)),
    list: () => read("outbox", (table) => table.getAll()),
    remove: (id) => write("outbox", (table) => table.delete(id)),
    recall: async (key) => (await read("saved", (table) => table.get(key)))?.value,
    remember: (key, value) => write("saved", (table) => table.put({ key, value, at: Date.now() })),
    async forget() {
      const old = (await read("saved", (table) => table.getAll())).filter(({ at }) => at < Date.now() - REMEMBERED_MS);
      for (const { key } of old) await write("saved", (table) => table.delete(key));
    },
  };
}

export function storeInMemory() {
  const entries = new Map();
  const saved = new Map();
  let last = 0;
  return {
    is_durable: false,
    async add(entry) {
      entries.set(++last, { ...entry, id: last });
      return last;
    },
    list: async () => [...entries.values()],
    remove: async (id) => entries.delete(id),
    recall: async (key) => saved.get(key),
    remember: async (key, value) => saved.set(key, value),
    forget: async () => {},
  };
}
