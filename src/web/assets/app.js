// The entry: every page works without it.
import { say, notify, ago } from "./words.js";
import { picking } from "./picks.js";
import { zones, marker } from "./times.js";
import { live } from "./live.js";

document.documentElement.classList.add("scripted");

zones();
marker();
// In another site's page our cookies are not ours to use: there a pick opens a window of its own.
const isEmbedded = document.documentElement.classList.contains("embed");
if (!isEmbedded) picking();
live();

// Empty fields of the filter stay out of its address.
document.getElementById("filter")?.addEventListener("submit", (event) => {
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  const field = button && document.getElementById(button.dataset.copy);
  if (!field) return;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    notify(say("copied"));
  } catch {
    notify(say("copyFailed"));
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("button[data-print]")) window.print();
});

// A page from the device says how old it is.
async function age() {
  const cached = await caches.open("pages").then((pages) => pages.match(location.href)).catch(() => null);
  const stored = Number(cached?.headers.get("x-stored-at"));
  if (stored) notify(say("offline", { ago: ago(Date.now() - stored) }));
}

if ("serviceWorker" in navigator && !isEmbedded) {
  window.addEventListener("load", () => navigator.serviceWorker.register("/sw.js").catch(() => {}));
  if (!navigator.onLine) age();
  window.addEventListener("offline", age);
}
