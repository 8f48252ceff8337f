// Takes the pictures of README and docs from the real pages. UPDATE_SCREENSHOTS=1 replaces those in tests/screenshots.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, SECRET, Server } from "./server.js";
import { ARTEFACTS, launch, pick, visitor } from "./visitor.js";

const SHOTS = join(ROOT, "tests", "screenshots");
// Bytes. The pictures are in the repository, so every clone downloads them.
const MAX_BYTES = 250_000;
const VIEWS = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const SHOWN_IN = { program: "README.md", agenda: "docs/guide/attendees.md", desk: "docs/guide/organizers.md" };

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

async function take(page, subject, view) {
  const name = `${subject}-${view}.png`;
  const taken = join(ARTEFACTS, `docs-${name}`);
  await page.screenshot({ path: taken, animations: "disabled" });
  const shown = join(SHOTS, name);
  if (process.env.UPDATE_SCREENSHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    copyFileSync(taken, shown);
  }
  const { size } = statSync(shown);
  assert.ok(size < MAX_BYTES, `${name} has ${size} bytes`);
  const text = readFileSync(join(ROOT, SHOWN_IN[subject]), "utf8");
  assert.ok(text.includes(`tests/screenshots/${name}`), `${SHOWN_IN[subject]} shows ${name}`);
}

for (const [view, viewport] of Object.entries(VIEWS)) {
  test(`README and guide show the program and an agenda, ${view}`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.goto("/");
    for (const session of ["slow-queries", "ai-infrastructure", "live-laugh-log", "ml-monitoring"]) {
      await pick(page, session);
    }
    await page.evaluate(() => {
      document.activeElement.blur();
      document.getElementById("safe-ai-rollout").scrollIntoView({ behavior: "instant" });
      scrollBy({ top: 26, behavior: "instant" });
    });
    await take(page, "program", view);
    if (view === "phone") {
      await page.emulateMedia({ colorScheme: "dark" });
      await take(page, "program", "dark");
    }
    await page.goto("/agenda");
    await page.locator("[data-count]").filter({ hasText: "4" }).waitFor();
    await take(page, "agenda", view);
  });

  test(`the guide for organizers shows the desk, ${view}`, async (t) => {
    const edited = await Server.start();
    t.after(() => edited.stop());
    edited.save((text) => text.replace("The Search for Speed", "The Search for More Speed"));
    const { page } = await visitor(t, browser, edited, { viewport });
    await page.goto("/organizer");
    await page.fill("input[name=secret]", SECRET);
    await page.locator("form[action='/organizer/session'] button").click();
    await page.locator("form[action='/organizer/preview']").waitFor();
    // The saved file is release 2, which gives release 1 its button.
    const restore = page.locator("form[action^='/organizer/releases/']");
    for (let tries = 0; tries < 100 && (await restore.count()) === 0; tries += 1) {
      await page.waitForTimeout(100);
      await page.reload();
    }
    await restore.first().waitFor();
    await take(page, "desk", view);
  });
}
