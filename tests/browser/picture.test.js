// The README's pictures are of the real pages. UPDATE_SCREENSHOTS=1 takes them anew.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, Server } from "./server.js";
import { ARTEFACTS, launch, pick, visitor } from "./visitor.js";

const KEPT = join(ROOT, "tests", "screenshots");
const MOST = 150_000;

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

async function take(page, name) {
  const path = join(ARTEFACTS, `readme-${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  const kept = join(KEPT, `${name}.png`);
  if (process.env.UPDATE_SCREENSHOTS) {
    mkdirSync(KEPT, { recursive: true });
    copyFileSync(path, kept);
  }
  assert.ok(statSync(kept).size < MOST, `${name}.png has ${statSync(kept).size} bytes`);
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  assert.ok(readme.includes(`tests/screenshots/${name}.png`), "the README shows it");
}

test("the README shows the program and an agenda", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: { width: 1120, height: 800 } });
  await page.goto("/");
  for (const session of ["slow-queries", "ai-infrastructure", "live-laugh-log"]) await pick(page, session);
  await page.evaluate(() => {
    document.activeElement.blur();
    document.getElementById("safe-ai-rollout").scrollIntoView({ behavior: "instant" });
    scrollBy({ top: 26, behavior: "instant" });
  });
  await take(page, "program");

  const phone = { viewport: { width: 390, height: 844 }, storageState: await page.context().storageState() };
  const { page: agenda } = await visitor(t, browser, server, phone);
  await agenda.goto("/");
  await pick(agenda, "ml-monitoring");
  await agenda.goto("/agenda");
  await agenda.locator("[data-count]").filter({ hasText: "4" }).waitFor();
  await take(agenda, "agenda");
});
