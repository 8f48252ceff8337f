// axe-core finds no violation on any page, in both colour schemes and at three widths.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { CONFIG, PROBLEMS, PROGRAM, PUBLIC, WITHOUT_AGENDA, furnish, handOver, preview, signIn } from "./pages.js";
import { Server } from "./server.js";
import { DESK, PHONE, launch, visitor } from "./visitor.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser, server;
before(async () => {
  server = await Server.start({ program: PROGRAM, config: CONFIG });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The page's policy blocks injected scripts. `evaluate` runs axe-core through the debugger, to which no policy applies.
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary}`).join(" | ")}`);
}

const TABLET = { width: 768, height: 1024 };

test("no page has a violation, light or dark, at 360, 768 and 1440 px", async (t) => {
  const owner = (await visitor(t, browser, server)).page;
  const guest = (await visitor(t, browser, server)).page;
  const faults = new Set();
  const check = async (page, name) => {
    await page.evaluate(() => {
      document.querySelectorAll("details").forEach((it) => (it.open = true));
      document.querySelectorAll("#notify [data-state]").forEach((it) => (it.hidden = false));
    });
    for (const viewport of [PHONE, TABLET, DESK]) {
      await page.setViewportSize(viewport);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) faults.add(`${name}, ${viewport.width} px: ${over} px wider than the window`);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        for (const fault of await violations(page)) faults.add(`${name}, ${viewport.width} px, ${colorScheme}: ${fault}`);
      }
    }
  };
  const look = async (page, path) => {
    await page.goto(path);
    await check(page, path);
  };
  const pages = await furnish(owner);
  for (const path of [...PUBLIC, ...WITHOUT_AGENDA, ...PROBLEMS, ...pages.guest]) await look(guest, path);
  for (const path of pages.own) await look(owner, path);
  const link = await handOver(owner);
  await check(owner, "the link to another device");
  await look(guest, link);
  await look(guest, "/organizer");
  await signIn(guest);
  await check(guest, "/organizer, signed in");
  await preview(guest);
  await check(guest, "the preview of a release");
  assert.deepEqual([...faults], []);
});

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

test("marks and separators are no part of names", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
  await page.clock.setFixedTime(new Date("2025-03-23T18:00:00Z"));
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  const named = await (await page.context().newCDPSession(page)).send("Accessibility.getFullAXTree");
  const names = named.nodes.filter(({ role }) => ["button", "link", "DisclosureTriangle"].includes(role?.value)).map(({ name }) => name?.value ?? "");
  assert.ok(names.length > 100);
  assert.deepEqual(names.filter((name) => /^[+✓·•]|[•▾+−]$/.test(name)), []);
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
  const { own, guest } = await furnish(page);
  for (const path of [...PUBLIC, ...WITHOUT_AGENDA, ...PROBLEMS, "/organizer", ...own, ...guest]) {
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

// The words that are split between two lines. Without its dictionaries, which the tests do not download, Chromium
// inserts no hyphens.
const brokenWords = (page) => page.evaluate(() => {
  const broken = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode: text } = texts;
    if (!text.parentElement.checkVisibility() || text.parentElement.closest(".vh, code, pre, textarea, script")) continue;
    for (const { 0: word, index } of text.data.matchAll(/[\p{L}\p{N}]{2,}/gu)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].filter(({ width }) => width > 1).map(({ top }) => Math.round(top)));
      if (lines.size > 1) broken.add(word);
    }
  }
  return [...broken];
});

for (const [width, size] of [[320, 16], [360, 32]]) {
  test(`no page scrolls sideways and no word breaks: ${width} px, text of ${size} px`, async (t) => {
    // The size is a setting of the browser, so that media queries also count in it.
    const reader = await launch(`--blink-settings=defaultFontSize=${size}`);
    t.after(() => reader.close());
    const { page } = await visitor(t, reader, server, { viewport: { width, height: 740 } });
    const { own, guest } = await furnish(page);
    // During the conference, with the button for the present moment.
    await page.clock.setFixedTime(new Date("2025-03-26T18:25:00Z"));
    const faults = [];
    for (const path of [...PUBLIC, ...WITHOUT_AGENDA, "/organizer", ...own, ...guest]) {
      await page.goto(path);
      await page.locator("html.scripted").waitFor();
      const over = await page.evaluate(() => {
        document.querySelectorAll("details").forEach((it) => (it.open = true));
        return document.documentElement.scrollWidth - innerWidth;
      });
      if (over > 0) faults.push(`${path}: ${over} px too wide`);
      // Descriptions for programmers name fields that no line of a phone holds.
      const words = path === "/api" ? [] : await brokenWords(page);
      if (words.length) faults.push(`${path}: ${words.join(" ")}`);
      const tabs = page.locator(".tabs");
      if (await tabs.count() && (await tabs.evaluate((it) => it.clientWidth)) < 80) faults.push(`${path}: no room for days`);
    }
    assert.deepEqual(faults, []);
  });
}
