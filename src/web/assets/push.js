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

// Tells the server of a subscription. Returns the state to show.
async function register(held) {
  const { endpoint, keys } = held.toJSON();
  const answer = await post("/agenda/devices", { endpoint, ...keys });
  if (answer.ok) return "on";
  await held.unsubscribe();
  return answer.status === 422 ? "full" : "failed";
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
  const { push: key, devices, renew } = section.dataset;
  const held = await pushes.getSubscription();
  if (held && Notification.permission === "granted") {
    // A new key of the agenda has ended all subscriptions, this device's too.
    if (renew !== undefined) show(await register(held));
    else if (devices.split(" ").includes(await idOf(held))) show("on");
  }
  section.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.disabled = true;
    show(button.dataset.stop === undefined ? await subscribe(pushes, key) : await unsubscribe(pushes));
    button.disabled = false;
  });
}
