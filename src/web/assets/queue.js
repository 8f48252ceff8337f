// The queue of picks that could not be sent. It holds the last action per session. An entry is removed only after the
// server has accepted or refused it.

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("callboard", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("picks", { keyPath: "session" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function store(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction("picks", mode);
      const request = work(transaction.objectStore("picks"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const queued = () => store("readonly", (picks) => picks.getAll()).catch(() => []);

export const enqueue = (session, action) =>
  store("readwrite", (picks) => picks.put({ session, action, at: Date.now() }));

// A newer action may have been queued while this one was sent.
async function removeIfUnchanged(entry) {
  const now = await store("readonly", (picks) => picks.get(entry.session));
  if (now?.at === entry.at) await store("readwrite", (picks) => picks.delete(entry.session));
}

export const clear = () => store("readwrite", (picks) => picks.clear()).catch(() => {});

export async function send(sessions, action) {
  const answer = await fetch("/agenda/picks", {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams([["action", action], ...[sessions].flat().map((id) => ["session", id])]),
  });
  const type = answer.headers.get("content-type") ?? "";
  const body = type.includes("json") ? await answer.json().catch(() => ({})) : {};
  return { ok: answer.ok, status: answer.status, body };
}

// Only one tab replays at a time. If the network fails again, the rest of the queue is kept for the next replay.
export function replay() {
  const run = async () => {
    const result = { settled: 0, refused: [] };
    for (const entry of await queued()) {
      let answer;
      try {
        answer = await send(entry.session, entry.action);
      } catch {
        break;
      }
      if (answer.status >= 500 || answer.status === 429 || answer.status === 408) break;
      await removeIfUnchanged(entry);
      if (answer.ok) result.settled += 1;
      else result.refused.push({ ...entry, why: answer.body.title ?? String(answer.status) });
    }
    return result;
  };
  return navigator.locks ? navigator.locks.request("callboard-picks", run) : run();
}
