// Subscribes this device to messages about changes of the agenda. The page contains the texts of every state.
const post = (path, fields) =>
  fetch(path, { method: "POST", body: new URLSearchParams(fields), headers: { accept: "application/json" } });

// iPads call themselves Macs, but have a touch screen.
const isApplePhone = () => /iPhone|iPad|iPod/.test(navigator.userAgent)
  || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);

// The server's id of a subscription.
async function idOf({ endpoint }) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(digest).slice(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The server's key that a subscription was made with, in base64url.
const keyOf = ({ options }) => btoa(String.fromCharCode(...new Uint8Array(options.applicationServerKey ?? [])))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

// Registers a subscription with the server. Returns the state to show. `reminders` is "yes", "no", or "" to leave it.
async function register(held, reminders = "") {
  const { endpoint, keys } = held.toJSON();
  const answer = await post("/agenda/devices", { endpoint, ...keys, reminders });
  if (answer.ok) return "on";
  if (!reminders) await held.unsubscribe();
  return answer.status === 422 ? "full" : "failed";
}

// The choice of reminders, for the time when a new key of the agenda ends the subscription.
function remember(choice) {
  try { localStorage.setItem("reminders", choice); } catch { /* then it is not remembered */ }
}
function remembered() {
  try { return localStorage.getItem("reminders") ?? ""; } catch { return ""; }
}

async function subscribe(pushes, key) {
  try {
    const permission = await Notification.requestPermission();
    if (permission !== "granted") return permission === "denied" ? "denied" : "ask";
    const old = await pushes.getSubscription();
    if (old && keyOf(old) !== key) await old.unsubscribe();
    return await register(await pushes.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  } catch {
    return Notification.permission === "denied" ? "denied" : "failed";
  }
}

async function unsubscribe(pushes) {
  const held = await pushes.getSubscription();
  if (!held) return "ask";
  const answer = await post("/agenda/devices/remove", { device: await idOf(held) }).catch(() => null);
  if (!answer?.ok) return "failed";
  await held.unsubscribe();
  return "ask";
}

export async function pushing(section) {
  const show = (state) => {
    for (const part of section.querySelectorAll("[data-state]")) part.hidden = part.dataset.state !== state;
  };
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    show(isApplePhone() ? "ios" : "unsupported");
    return;
  }
  if (Notification.permission === "denied") show("denied");
  const { pushManager: pushes } = await navigator.serviceWorker.ready;
  const { push: key, devices, reminded, renew } = section.dataset;
  const box = section.querySelector("[data-reminders]");
  const has = (ids, id) => ids.split(" ").includes(id);
  box.checked = false; // Firefox restores it after a reload.
  const held = await pushes.getSubscription();
  if (held && Notification.permission === "granted") {
    const id = await idOf(held);
    // A new key of the agenda has ended all subscriptions, this device's too.
    box.checked = renew === undefined ? has(reminded, id) : remembered() === "yes";
    if (renew !== undefined) show(await register(held, remembered()));
    else if (has(devices, id)) show("on");
  }
  box.addEventListener("change", async () => {
    box.disabled = true;
    const subscription = await pushes.getSubscription();
    const choice = box.checked ? "yes" : "no";
    const state = subscription ? await register(subscription, choice).catch(() => "failed") : "ask";
    if (state === "on") remember(choice);
    else { box.checked = !box.checked; show(state); }
    box.disabled = false;
  });
  section.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.disabled = true;
    const isStop = button.dataset.stop !== undefined;
    show(isStop ? await unsubscribe(pushes) : await subscribe(pushes, key));
    if (isStop) { box.checked = false; remember(""); }
    button.disabled = false;
  });
}
