// Overlaps of a new pick, and the choice that they offer. `mine` are the picks and functions of picks.js.
import { say, notify, box } from "./words.js";
import { send } from "./queue.js";

// Offers buttons to choose from. The notice is at the end of the page, far from the pressed element: the focus moves to the
// first button, and back after the choice. Escape chooses the first.
function choose(text, pressed, ...actions) {
  const back = () => pressed?.focus({ preventScroll: true });
  notify(text, ...actions.map(({ label, run }) => ({ label, run() { back(); run?.(); } })));
  if (!box) return;
  const said = document.createElement("span");
  said.id = "said";
  said.textContent = text;
  box.firstChild.replaceWith(said);
  const [first] = box.querySelectorAll("button");
  first.setAttribute("aria-describedby", said.id);
  first.focus({ preventScroll: true });
  notify.back = pressed;
}
box?.addEventListener("keydown", ({ key }) => { if (key === "Escape") box.querySelector("button")?.click(); });

// The picked sessions of this page that overlap a session, for times without a network.
function overlapsOf({ picks, holdersOf, titleOf }, session) {
  const timesOf = (id) => {
    const holder = [...holdersOf(id)].find((it) => it.dataset.start && !it.classList.contains("cancelled"));
    return holder && [holder.dataset.start, holder.dataset.end].map(Date.parse);
  };
  const its = timesOf(session);
  const others = [...picks()].filter((id) => id !== session).map((id) => [id, timesOf(id)]);
  return others.filter(([, times]) => its && times && its[0] < times[1] && times[0] < its[1])
    .map(([id]) => ({ id, title: titleOf(id) }));
}

// Announces an overlap, and offers to keep both sessions or only the new one.
export function announceOverlap(mine, session, overlaps, pressed, ...more) {
  const { picks, titleOf, repaint, load, sendLater } = mine;
  const other = overlaps.map((it) => it.title).join(", ");
  const replace = async () => {
    const ids = overlaps.map((it) => it.id);
    ids.forEach((id) => picks().delete(id));
    repaint();
    const answer = await send(ids, "unpick").catch(() => null);
    if (answer?.ok) notify(say("replaced"));
    else if (answer) { await load(); notify(say("refused", { why: answer.body.title ?? String(answer.status) })); }
    else await sendLater(ids, "unpick");
  };
  choose([say("overlaps", { title: titleOf(session), other }), ...more].join(" "), pressed,
    { label: say("keep-both") }, { label: say("replace", { other }), run: replace });
}

// Announces the overlaps of a pick that waits for the network.
export function findOverlaps(mine, session, pressed) {
  const overlaps = overlapsOf(mine, session);
  if (overlaps.length) announceOverlap(mine, session, overlaps, pressed, say("queued"));
}
