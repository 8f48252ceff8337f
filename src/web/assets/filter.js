// The filter "My sessions": it stays on after a reload and on the way back from a session, near the former place.
import { firstOf, isShown, lead, mark, scrollsAlone } from "./now.js";

const root = document.documentElement;
const remember = (state) => history.replaceState({ ...history.state, ...state }, "");
const isFiltered = () => root.classList.contains("mine-only");

const bar = document.querySelector(".bar");

// The first session in view, and where it is. Unless `always`, none before the reader has scrolled to the sessions.
function placeInView({ always }) {
  const edge = bar?.getBoundingClientRect();
  if (!edge || (!always && edge.top > 1)) return undefined;
  const card = [...document.querySelectorAll(".moment [data-start]")].filter(isShown)
    .find((it) => it.getBoundingClientRect().bottom > edge.bottom + 1);
  return card && { card, top: card.getBoundingClientRect().top };
}

// After a filter has shown or hidden sessions: scrolls to those that are on now, or else to the nearest to the former place.
function returnTo(place, { prefersNow }) {
  if (!place) return;
  const { card, top } = place;
  const running = (prefersNow && mark()?.running.filter(isShown)) || [];
  const shown = [...document.querySelectorAll(".moment [data-start]")].filter(isShown);
  const isAfter = (it) => it === card || Boolean(card.compareDocumentPosition(it) & Node.DOCUMENT_POSITION_FOLLOWING);
  const nearest = shown.find(isAfter) ?? shown.at(-1);
  if (running.length) lead(firstOf(running), "instant");
  else if (nearest === card && !scrollsAlone(card.closest(".grid"))) scrollBy({ top: card.getBoundingClientRect().top - top, behavior: "instant" });
  else if (nearest) lead(nearest.closest(".moment"), "instant");
}

export function filtering(button, changed) {
  let isPlaced = false;
  function apply(isOn) {
    root.classList.toggle("mine-only", isOn);
    button.setAttribute("aria-pressed", String(isOn));
    changed();
  }
  function toggle() {
    // With the filter the page may be too short to scroll.
    const place = placeInView({ always: isFiltered() });
    apply(!isFiltered());
    returnTo(place, { prefersNow: isFiltered() });
    isPlaced = true;
    remember({ mine: isFiltered(), y: scrollY });
  }
  if (history.state?.mine) apply(true);
  button.addEventListener("click", toggle);
  // A link to a day makes a new entry.
  addEventListener("hashchange", () => remember({ mine: isFiltered() }));
  // Not when the page is left: browsers ignore a new state then.
  let still;
  addEventListener("scroll", () => {
    clearTimeout(still);
    still = setTimeout(() => { if (isFiltered() && isPlaced) remember({ y: scrollY }); }, 150);
  }, { passive: true });
  return {
    toggle,
    // The browser restores the place before the picks are known, when the page is still short.
    restorePlace() {
      isPlaced = true;
      if (isFiltered() && history.state?.y) scrollTo({ top: history.state.y, behavior: "instant" });
    },
  };
}
