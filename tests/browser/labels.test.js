// In every language, the labels of buttons and times fit into the room that the style sheet reserves for them.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, Server, shipped } from "./server.js";
import { DESK, PHONE, launch, pick, visitor } from "./visitor.js";

const LANGUAGES = readdirSync(join(ROOT, "src", "texts")).filter((name) => name.endsWith(".ftl")).map((name) => name.slice(0, -4));
const TABLET = { width: 768, height: 1024 };

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

// The buttons whose label is wider than they are, and the labels of times that cover a session.
const overflows = (page) => page.evaluate(() => {
  const found = new Set();
  document.querySelectorAll("button .vh").forEach((it) => it.remove());
  for (const button of document.querySelectorAll("button, .button, .pill, .tag")) {
    // An icon in the place of the label has no size of its own.
    if (!button.checkVisibility() || getComputedStyle(button).fontSize === "0px") continue;
    const text = document.createRange();
    text.selectNodeContents(button);
    const [label, room] = [text, button].map((it) => it.getBoundingClientRect());
    const over = Math.max(label.right - room.right, room.left - label.left, button.scrollWidth - button.clientWidth);
    if (over > 1) found.add(`${button.textContent.trim()}: ${Math.round(over)} px`);
  }
  for (const label of document.querySelectorAll(".at > *")) {
    const card = label.closest(".moment").querySelector(".card");
    if (!card || !label.checkVisibility()) continue;
    const [a, b] = [label, card].map((it) => it.getBoundingClientRect());
    if (a.right > b.left && a.bottom > b.top && a.top < b.bottom) found.add(`${label.textContent} covers a session`);
  }
  return [...found];
});

for (const language of LANGUAGES) {
  test(`every label fits its button: ${language}`, async (t) => {
    const clock = language === "en-US" ? "12h" : "24h";
    const config = shipped.config.replace(/^language = .*/m, `language = "${language}"`).replace(/^clock = .*/m, `clock = "${clock}"`);
    const server = await Server.start({ config });
    t.after(() => server.stop());
    const { page } = await visitor(t, browser, server, { viewport: TABLET });
    await page.goto("/");
    for (const session of ["slow-queries", "ml-monitoring"]) await pick(page, session);
    // While a session runs and another one is next.
    await page.clock.setFixedTime(new Date("2025-03-26T18:25:00Z"));
    const faults = [];
    for (const viewport of [PHONE, TABLET, DESK]) {
      await page.setViewportSize(viewport);
      for (const path of ["/", "/?q=observability", "/sessions/slow-queries", "/tracks/track-1", "/agenda", "/agenda/plan"]) {
        await page.goto(path);
        await page.locator("html.scripted").waitFor();
        for (const fault of await overflows(page)) faults.push(`${path}, ${viewport.width} px: ${fault}`);
      }
    }
    assert.deepEqual(faults, []);
  });
}
