// The keyboard alone reaches and operates everything, the accessibility tree reads in order, and large text stays whole.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CONFIG, PROGRAM, furnish } from "./pages.js";
import { Server } from "./server.js";
import { DESK, PHONE, held, launch, pick, shoot, until, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start({ program: PROGRAM, config: CONFIG });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// Presses Tab until the focus leaves the page, and returns a description of every stop.
async function walk(page) {
  await page.evaluate(() => { document.activeElement?.blur(); scrollTo(0, 0); });
  const stops = [];
  for (let presses = 0; presses < 1500; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const it = document.activeElement;
      if (!it || it === document.body || it.dataset.walked) return null;
      it.dataset.walked = "yes";
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(it);
      const { top, bottom, left, right, width, height } = it.getBoundingClientRect();
      const all = globalThis.walkOrder ??= [...document.querySelectorAll("*")];
      return {
        name: `${it.tagName} ${it.id || it.className} ${(it.getAttribute("aria-label") ?? it.textContent ?? "").trim().slice(0, 40)}`,
        hasOutline: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 && outlineColor !== "rgba(0, 0, 0, 0)",
        isInView: width > 0 && height > 0 && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
        place: all.indexOf(it),
      };
    });
    if (!stop) break;
    stops.push(stop);
  }
  return stops;
}

// The elements that a mouse can operate and the keyboard did not reach.
const missed = (page) => page.evaluate(() =>
  [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((it) => it.checkVisibility({ visibilityProperty: true }) && !it.disabled && it.tabIndex >= 0 && it.type !== "hidden" && !it.dataset.walked)
    .filter((it) => !it.closest("[hidden]"))
    .map((it) => `${it.tagName} ${it.id || it.className} ${it.textContent.trim().slice(0, 40)}`));

for (const viewport of [PHONE, DESK]) {
  test(`Tab reaches everything, in reading order, with a visible focus (${viewport.width} px)`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    const { own, guest } = await furnish(page);
    const shared = guest[0];
    for (const path of [...new Set(["/", "/sessions/slow-queries", "/agenda", "/subscribe/program", "/changes", "/tracks/track-1", shared, ...own.slice(0, 1)])]) {
      await page.goto(path);
      await page.locator("html.scripted").waitFor();
      const stops = await walk(page);
      assert.ok(stops.length > 8, `${path}: ${stops.length} stops`);
      assert.match(stops[0].name, /skip/, `${path}: the first stop skips the navigation`);
      assert.deepEqual(stops.filter((it) => !it.hasOutline).map((it) => it.name), [], `${path}: no visible focus`);
      assert.deepEqual(stops.filter((it) => !it.isInView).map((it) => it.name), [], `${path}: focused outside of the window`);
      const back = stops.filter((it, at) => at > 0 && it.place < stops[at - 1].place);
      assert.deepEqual(back.map((it) => it.name), [], `${path}: the order differs from that of the page`);
      assert.deepEqual(await missed(page), [], `${path}: not reached`);
    }
  });
}

test("without a mouse, a talk is found, picked, and unpicked", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("slow quer");
  await page.locator("#results li").first().waitFor();
  const button = page.locator("#results button.pick[value=slow-queries]");
  for (let stops = 0; stops < 20 && !(await button.evaluate((it) => it === document.activeElement)); stops += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await page.locator("#results button.pick[aria-pressed=true]").waitFor();
  await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 1);
  assert.ok(await button.evaluate((it) => it === document.activeElement), "the focus stays on the button");
  await page.keyboard.press("Enter");
  await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 0);
  assert.deepEqual(await held(page), []);
});

test("without a mouse, an overlap is decided at once, and the focus returns to the pick", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  await pick(page, "slow-queries");
  const button = page.locator("#p-ml-monitoring");
  const isFocused = (locator) => locator.evaluate((it) => it === document.activeElement);
  for (const key of ["Escape", "Enter"]) {
    await button.press("Space");
    const keep = page.getByRole("button", { name: "Keep both" });
    await keep.waitFor();
    assert.ok(await isFocused(keep), "the choice is focused");
    await page.keyboard.press(key);
    assert.ok(await isFocused(button), `${key} returns`);
    assert.equal((await held(page)).length, 2);
    await button.press("Space");
    await page.locator("#p-ml-monitoring[aria-pressed=false]").waitFor();
    await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 1);
  }
  await button.press("Space");
  await page.getByRole("button", { name: "Keep both" }).waitFor();
  await page.keyboard.press("Tab");
  assert.ok(await isFocused(page.getByRole("button", { name: /^Replace “.*Slow Queries.*”$/ })), "it names the session");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "Replaced." }).waitFor();
  assert.ok(await isFocused(button));
  assert.deepEqual(await held(page), ["ml-monitoring"]);
});

for (const viewport of [PHONE, DESK]) {
  test(`every form of the agenda confirms in view, with the focus there (${viewport.width} px)`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.goto("/");
    for (const session of ["slow-queries", "ml-monitoring", "thundering-herd", "on-call-tales"]) await pick(page, session);
    await page.goto("/agenda");
    // Presses a button, and waits for the page that confirms it.
    const press = async (button, text, place) => {
      await button.click();
      await page.locator(".done").filter({ hasText: text }).waitFor();
      await page.waitForLoadState();
      await page.waitForTimeout(400);
      const { isFocused, isInView, near } = await page.locator(".done").evaluate((it, place) => {
        const { top, bottom } = it.getBoundingClientRect();
        const bar = document.querySelector(".bar")?.getBoundingClientRect().bottom ?? 0;
        return { isFocused: document.activeElement === it, isInView: top >= Math.max(0, bar) && bottom <= innerHeight, near: Boolean(it.closest(place)) };
      }, place);
      assert.ok(isFocused && isInView && near, `${text}: ${JSON.stringify({ isFocused, isInView, near })}`);
    };
    const talk = page.locator("#thundering-herd");
    await talk.getByText("Want to see").first().click();
    await press(talk.getByRole("button", { name: /^Must see/ }), "Saved.", "#thundering-herd");
    await press(page.locator("#ml-monitoring").getByRole("button", { name: /Keep this one/ }), "Overlap resolved.", "#ml-monitoring");
    await press(page.locator("#thundering-herd").getByRole("button", { name: /^Remove/ }), "Removed", ".day");
    await page.locator("#name summary").click();
    await press(page.getByRole("button", { name: "Rename" }), /./, "#name");
    await page.locator("#links > summary").click();
    await press(page.getByRole("button", { name: "Create another link" }), /./, "#links");

    await page.goto("/agenda/plan");
    await page.getByLabel("From").fill("11:20");
    await page.getByLabel("To", { exact: true }).fill("11:10");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.waitForLoadState();
    await page.waitForTimeout(400);
    for (const it of [page.getByRole("alert"), page.locator("[name=to]")]) {
      assert.ok(await it.evaluate((it) => { const { top, bottom } = it.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }));
    }
    assert.ok(await page.locator("[name=to]").evaluate((it) => it === document.activeElement));
  });
}

test("without a mouse, a filter is set, and what is folded unfolds", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  await page.locator(".filter summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Tue");
  await page.keyboard.press("Enter");
  if (!/day=/.test(page.url())) await page.locator(".filter").getByRole("button", { name: "Apply" }).press("Enter");
  await page.waitForURL(/day=2025-03-25/);
  assert.equal(await page.locator("main .day").count(), 1);
});

// The roles of the accessibility tree, in its order, with the levels of headings.
async function tree(page) {
  const client = await page.context().newCDPSession(page);
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  await client.detach();
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const out = [];
  const visit = (node) => {
    if (!node) return;
    if (!node.ignored) {
      const level = node.properties?.find(({ name }) => name === "level")?.value.value;
      out.push({ role: node.role?.value, name: node.name?.value ?? "", level });
    }
    for (const id of node.childIds ?? []) visit(byId.get(id));
  };
  visit(nodes[0]);
  return out;
}

test("the accessibility tree reads in order: landmarks, headings, lists", async (t) => {
  const { page } = await visitor(t, browser, server);
  const { own, guest } = await furnish(page);
  const paths = ["/", "/sessions/slow-queries", "/speakers", "/tracks/track-1", "/days/2025-03-25", "/changes", "/subscribe/program", "/team", "/no-such-page", "/organizer", ...own, ...guest];
  for (const path of [...new Set(paths)]) {
    await page.goto(path);
    const nodes = await tree(page);
    const places = ["banner", "main", "contentinfo"].map((role) => nodes.findIndex((it) => it.role === role));
    assert.ok(places.every((it) => it >= 0) && places.join() === [...places].sort((a, b) => a - b).join(), `${path}: landmarks at ${places}`);
    for (const role of ["banner", "main", "contentinfo"]) assert.equal(nodes.filter((it) => it.role === role).length, 1, `${path}: ${role}`);
    const navigations = nodes.filter((it) => it.role === "navigation").map((it) => it.name);
    assert.ok(navigations.every(Boolean) && new Set(navigations).size === navigations.length, `${path}: ${navigations}`);
    const headings = nodes.filter((it) => it.role === "heading");
    assert.deepEqual(headings.filter((it) => it.level === 1).length, 1, `${path}: one title`);
    assert.equal(headings[0].level, 1, `${path}: the title is the first heading`);
    const jumps = headings.filter((it, at) => at > 0 && it.level > headings[at - 1].level + 1);
    assert.deepEqual(jumps.map((it) => it.name), [], `${path}: headings skip a level`);
    const nameless = nodes.filter((it) => ["link", "button", "textbox", "searchbox", "combobox", "heading", "region"].includes(it.role) && !it.name);
    assert.deepEqual(nameless, [], `${path}: without a name`);
  }
  // The program reads by time: each day's sessions follow its heading.
  await page.goto("/");
  const starts = await page.locator("main .card[data-start]").evaluateAll((cards) => cards.map((it) => it.dataset.start));
  assert.deepEqual(starts, [...starts].sort());
  const regions = (await tree(page)).filter((it) => it.role === "region").map((it) => it.name);
  assert.ok(regions.join().includes("Monday, March 24,Tuesday, March 25"), `${regions}`);
  assert.ok((await tree(page)).some((it) => it.role === "list"));
});

// Words that continue on another line, apart from those that a hyphen, a slash or the like ends.
const broken = (page) => page.evaluate(() => {
  const words = [];
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    if (!holder.checkVisibility({ visibilityProperty: true }) || holder.closest(".vh, pre, code, script, .copying")) continue;
    for (const { 0: word, index } of text.data.matchAll(/[\p{L}\p{N}’']{2,}/gu)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = new Set([...range.getClientRects()].filter((it) => it.width > 1).map((it) => Math.round(it.top)));
      if (lines.size > 1) words.push(word);
    }
  }
  return [...new Set(words)];
});

test("text at twice its size breaks no word and needs no sideways scrolling", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
  const { own, guest } = await furnish(page);
  for (const path of ["/", "/?q=observability", "/sessions/slow-queries", "/speakers", "/tracks/track-1", "/changes", "/subscribe/program", "/team", ...own, guest[0]]) {
    await page.goto(path);
    await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
    await page.waitForTimeout(100);
    assert.equal(await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)), 0, path);
    if (path === "/") await shoot(page, "large-text", { whole: false });
    // A word of more than twenty letters does not fit into a phone's width at this size.
    assert.deepEqual((await broken(page)).filter((word) => word.length <= 12), [], path);
  }
});

test("without scripts everything but live parts works", async (t) => {
  const { page } = await visitor(t, browser, server, { javaScriptEnabled: false, viewport: PHONE });
  await page.goto("/");
  for (const session of ["Slow Queries", "An SRE Approach to Monitoring ML"]) {
    await page.getByRole("button", { name: new RegExp(session) }).click();
    await page.waitForURL(/\/mine#/);
  }
  await page.goto("/");
  await page.getByRole("link", { name: "Show which sessions I picked" }).click();
  await page.waitForURL(/\/mine/);
  assert.equal(await page.locator("button.pick[aria-pressed=true]").count(), 2, "what is picked is shown");
  // Nothing that only a script could operate is visible.
  for (const path of ["/", "/mine", "/agenda", "/sessions/slow-queries", "/subscribe/program"]) {
    await page.goto(path);
    const dead = page.locator("button[type=button]").filter({ visible: true });
    assert.deepEqual(await dead.allTextContents(), [], path);
  }
  await page.goto("/agenda");
  await page.locator("#name > summary").click();
  await page.locator("form[action='/agenda/name'] input[name=name]").fill("Mine");
  await page.locator("form[action='/agenda/name'] button").click();
  await page.waitForURL(/done=renamed#name/);
  await page.getByText("Your agenda has a new name.").waitFor();
  await page.locator("#other-device > summary").click();
  await page.locator("form[action='/agenda/handover'] button").click();
  await page.locator("#hand-over").waitFor();
});
