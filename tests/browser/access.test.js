// axe-core finds no violation on any page, in both colour schemes, on a phone and on a desktop.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { SECRET, Server, shipped } from "./server.js";
import { DESK, PHONE, launch, pick, visitor } from "./visitor.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// The shipped program with a cancelled and a tentative session, so that axe-core also checks their marks.
const program = shipped.program
  .replace(/^(coffee-tue-am,.*),\r?$/m, "$1,tentative")
  .replace(/^(reception,.*),\r?$/m, "$1,cancelled");

let browser, server;
before(async () => {
  server = await Server.start({ program });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The page's policy blocks injected scripts. `evaluate` runs axe-core through the debugger, to which no policy applies.
async function violations(page) {
  await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document));
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(" | ")}`);
}

// Makes an agenda with an overlap, a revoked link and a working link.
async function furnish(page) {
  await page.goto("/");
  for (const session of ["slow-queries", "ml-monitoring", "on-call-tales"]) await pick(page, session);
  await page.goto("/agenda");
  return page.locator(".link a[href^='/agendas/']").first().getAttribute("href");
}

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [PHONE, DESK]) {
    test(`nobody is shut out: ${colorScheme}, ${viewport.width} px`, async (t) => {
      const owner = await visitor(t, browser, server, { colorScheme, viewport });
      const { page: guest } = await visitor(t, browser, server, { colorScheme, viewport });
      const shared = await furnish(owner.page);
      const { pathname, search } = new URL(await owner.page.locator("#carry-address").inputValue());
      const carried = `${pathname}${search}`;
      const faults = [];
      const look = async (page, path, { open = true } = {}) => {
        await page.goto(path);
        if (open) await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
        for (const fault of await violations(page)) faults.push(`${path}: ${fault}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) faults.push(`${path}: ${over} px wider than the window`);
      };
      for (const path of [
        "/", "/?track=track-1&q=search", "/?embed", "/sessions/slow-queries", "/sessions/reception",
        "/tracks/track-1", "/tracks/discussion-track", "/speakers/scott-laird", "/days/2025-03-25", "/speakers", "/tracks", "/rooms",
        "/?q=observability", "/mine", "/agenda", "/agenda?done=deleted", "/team", shared,
        "/subscribe/program", `/subscribe${shared}`, "/changes", "/offline", "/no-such-page",
        `/agendas/${"x".repeat(20)}`, "/agenda/import", "/agenda/import?picks=cut-off", carried,
      ]) await look(guest, path);
      for (const path of ["/", "/mine", "/agenda", "/agenda?done=linked", "/sessions/slow-queries", shared]) await look(owner.page, path);
      if ((await guest.goto("/organizer")).status() !== 404) {
        await look(guest, "/organizer");
        await guest.locator("input[name=secret]").fill(SECRET);
        await guest.locator("form[action='/organizer/session'] button").click();
        await guest.waitForLoadState();
        await look(guest, "/organizer");
      }
      await owner.page.goto("/agenda");
      await owner.page.locator("form[action='/agenda/handover'] button").click();
      const link = await owner.page.locator("#hand-over").inputValue();
      for (const fault of await violations(owner.page)) faults.push(`hand-over, the link: ${fault}`);
      await look(guest, link);
      assert.deepEqual([...new Set(faults)], []);
    });
  }
}

test("what axe looks for it finds: this very check can fail", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/sessions/reception");
  assert.equal(await page.locator(".state").count(), 1, "the session is cancelled");
  await page.evaluate(() => {
    document.querySelector("h1").style.color = "#ddd";
    document.querySelector("main").append(document.createElement("img"));
  });
  const found = await violations(page);
  assert.ok(found.some((it) => it.startsWith("image-alt")) && found.some((it) => it.startsWith("color-contrast")), found);
});

test("the program is read and picked from by keyboard alone", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first stop skips");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const target = page.locator("button.pick[value=slow-queries]");
  for (let stops = 0; stops < 120 && !(await target.evaluate((it) => it === document.activeElement)); stops += 1) {
    await page.keyboard.press("Tab");
  }
  const outline = await target.evaluate((it) => getComputedStyle(it).outlineStyle);
  assert.notEqual(outline, "none", "focus is seen");
  await page.keyboard.press("Space");
  await page.locator('button.pick[value="slow-queries"][aria-pressed="true"]').waitFor();
});

test("no motion for who wants none, no sideways scrolling on a narrow phone or with text twice as large", async (t) => {
  const { page } = await visitor(t, browser, server, { reducedMotion: "reduce" });
  for (const path of ["/", "/?q=observability", "/sessions/slow-queries", "/changes", "/subscribe/program", "/agenda", "/team", "/speakers", "/days/2025-03-25", "/organizer"]) {
    for (const [width, size] of [[320, "100%"], [360, "200%"], [2560, "100%"]]) {
      await page.setViewportSize({ width, height: 720 });
      await page.goto(path);
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto");
      const over = await page.evaluate((size) => {
        document.documentElement.style.fontSize = size;
        document.querySelectorAll("details").forEach((it) => (it.open = true));
        return document.documentElement.scrollWidth - innerWidth;
      }, size);
      assert.ok(over <= 0, `${path}, ${width} px, text at ${size}: ${over} px too wide`);
    }
  }
});
