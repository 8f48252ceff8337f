// Announces a newer release. Browsers without event streams show no announcement.
import { say, notify } from "./words.js";

export function live() {
  if (!("EventSource" in window)) return;
  const shown = Number(document.documentElement.dataset.release);
  let stream;
  const connect = () => {
    stream ??= new EventSource("/events");
    stream.addEventListener("release", (event) => {
      let release;
      try { ({ release } = JSON.parse(event.data)); } catch { return; }
      if (release > shown) notify(say("new-release"), { href: location.href.split("#")[0], label: say("reload") });
    });
  };
  const disconnect = () => { stream?.close(); stream = undefined; };
  const follow = () => (document.hidden ? disconnect() : connect());
  document.addEventListener("visibilitychange", follow);
  // Some browsers count an open stream as loading, so it opens after the page has loaded.
  if (document.readyState === "complete") setTimeout(follow, 1000);
  else window.addEventListener("load", () => setTimeout(follow, 1000));
}
