// A day with parallel tracks or rooms is a table on a wide window. A phone shows it as a list, or as a table on demand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { manyRooms, sixTracks } from "./programs.js";
import { Server } from "./server.js";
import { DESK, PHONE, launch, pick, shoot, visitor } from "./visitor.js";

// Twenty minutes into a session of the second of three days.
const DAY_2 = new Date("2025-03-26T18:25:00Z");

let browser, server, crowded;
before(async () => {
  [server, crowded, browser] = await Promise.all([Server.start(sixTracks()), Server.start(manyRooms()), launch()]);
});
after(async () => { await browser?.close(); await server?.stop(); await crowded?.stop(); });

const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
const box = (locator) => locator.evaluate((it) => { const { top, bottom, left, right } = it.getBoundingClientRect(); return { top, bottom, left, right }; });
const isTable = (page) => page.locator(".grid table").first().evaluate((it) => getComputedStyle(it).display === "table");

for (const [name, viewport, colorScheme] of [["1440", DESK, "light"], ["1920", { width: 1920, height: 1080 }, "dark"]]) {
  test(`six tracks are a table with headings that stay (${name} px)`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport, colorScheme });
    await page.goto("/");
    const day = page.getByRole("table", { name: "Wednesday, March 26" });
    assert.deepEqual(await day.getByRole("columnheader").allTextContents(), ["Time", ...[1, 2, 3, 4, 5, 6].map((n) => `Track ${n}`)]);
    assert.ok(await isTable(page));
    assert.equal(await sideways(page), 0);
    const columns = await day.getByRole("columnheader", { name: /Track/ }).evaluateAll((all) => all.map((it) => it.offsetWidth));
    assert.ok(Math.min(...columns) >= 184 && Math.max(...columns) - Math.min(...columns) <= 1, `${columns}`);
    const used = columns.reduce((sum, it) => sum + it, 0);
    assert.ok(used > viewport.width * 0.8, `the columns use ${used} px`);
    assert.ok((await page.evaluate(() => document.documentElement.scrollHeight)) < 9000);

    const heading = day.getByRole("columnheader", { name: "Track 3" });
    await day.getByRole("row").nth(8).scrollIntoViewIfNeeded();
    await page.evaluate(() => scrollBy({ top: 300, behavior: "instant" }));
    const bar = await box(page.locator(".bar"));
    const { top, bottom } = await box(heading);
    assert.ok(Math.abs(top - bar.bottom) <= 2 && bottom < 200, `the heading is at ${top}, the bar ends at ${bar.bottom}`);
    await shoot(page, `grid-${name}`, { whole: false });

    // A row is at least as high as its time. The lunch of an hour has as much room as twelve steps of five minutes.
    const lunch = day.getByRole("row").filter({ has: page.locator("h4", { hasText: /^Lunch$/ }) });
    assert.ok((await lunch.evaluate((it) => it.offsetHeight)) >= Math.floor(12 * 0.6 * 16));
  });
}

test("a session is picked in the grid, and the time zone changes there", async (t) => {
  const { page } = await visitor(t, browser, server, { timezoneId: "Asia/Tokyo" });
  await page.goto("/");
  const card = page.locator(".grid td:not(.alone) .card").nth(7);
  const id = await card.getAttribute("id");
  const title = await card.locator("h4").textContent();
  await pick(page, id);
  await page.getByRole("table").getByRole("button", { name: `Picked ${title}`, pressed: true }).waitFor();
  const header = page.getByRole("row").filter({ has: page.locator(`[id="${id}"]`) }).locator(".time");
  const venue = await header.innerText();
  await page.getByRole("button", { name: "Show in my time zone" }).click();
  assert.notEqual(await header.innerText(), venue);
  assert.equal(await sideways(page), 0);
  await page.getByRole("button", { name: "Show venue time" }).click();
  assert.equal(await header.innerText(), venue);
  // Only the picked sessions: a list.
  await page.getByRole("button", { name: /My sessions/ }).click();
  assert.equal(await isTable(page), false);
  assert.equal(await page.locator(".day .card").filter({ visible: true }).count(), 1);
});

for (const scripted of [true, false]) {
  test(`a phone shows a list, and a grid on demand (${scripted ? "scripted" : "plain"})`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport: PHONE, javaScriptEnabled: scripted });
    await page.goto("/");
    assert.equal(await page.locator(".grid thead").first().isVisible(), false);
    assert.equal(await page.getByRole("checkbox", { name: "List" }).isVisible(), false);
    await page.getByRole("checkbox", { name: "Grid" }).check();
    const table = page.getByRole("table").first();
    const scroller = page.locator(".grid").first();
    await table.getByRole("columnheader", { name: "Track 1" }).waitFor({ state: "visible" });
    assert.equal(await sideways(page), 0);
    const rest = await scroller.evaluate((it) => [it.scrollWidth - it.clientWidth, getComputedStyle(it).scrollSnapType, it.clientHeight - innerHeight]);
    assert.ok(rest[0] > 800 && rest[1].startsWith("x") && rest[2] < 0, `${rest}`);
    await scroller.scrollIntoViewIfNeeded();
    await scroller.evaluate((it) => it.scrollTo({ left: 400, top: 500, behavior: "instant" }));
    await page.waitForTimeout(400);
    const [frame, time, heading] = [await box(scroller), await box(table.locator(".time").nth(3)), await box(table.getByRole("columnheader", { name: "Track 4" }))];
    assert.ok(Math.abs(time.left - frame.left) <= 1, "the times stay at the left");
    assert.ok(Math.abs(heading.top - frame.top) <= 2, "the headings stay at the top");
    const edges = await table.getByRole("columnheader", { name: /Track/ }).evaluateAll((all) => all.map((it) => it.getBoundingClientRect().left));
    const times = await box(table.getByRole("columnheader", { name: "Time" }));
    assert.ok(edges.some((left) => Math.abs(left - times.right) <= 2), `a column begins beside the times: ${edges}, ${times.right}`);
    await shoot(page, `grid-phone-${scripted ? "scripted" : "plain"}`, { whole: false });
    if (scripted) {
      await page.reload();
      await page.locator("html.scripted").waitFor();
      assert.ok(await isTable(page), "the choice is remembered");
    }
    await page.getByRole("checkbox", { name: "Grid" }).uncheck();
    assert.equal(await isTable(page), false);
  });
}

test("a wide window shows a list on demand, by keyboard too", async (t) => {
  const { page } = await visitor(t, browser, server, { forcedColors: "active" });
  await page.goto("/");
  const choice = page.getByRole("checkbox", { name: "List" });
  await choice.focus();
  assert.notEqual(await choice.evaluate((it) => getComputedStyle(it).outlineStyle), "none");
  await page.keyboard.press("Space");
  assert.equal(await isTable(page), false);
  await page.keyboard.press("Space");
  assert.ok(await isTable(page));
  // Every control of the grid is a stop, and the headings that stay cover none.
  const first = page.locator(".grid .card h4 a").first();
  await first.focus();
  for (let stops = 0; stops < 40; stops += 1) {
    await page.keyboard.press("Tab");
    const hidden = await page.evaluate(() => {
      const it = document.activeElement;
      const { top, left, height, width } = it.getBoundingClientRect();
      const seen = document.elementFromPoint(left + width / 2, top + height / 2);
      return !it.closest(".grid") || it.contains(seen) || seen?.contains(it) ? "" : it.outerHTML.slice(0, 120);
    });
    assert.equal(hidden, "");
  }
});

test("a line is drawn at the present time", async (t) => {
  for (const [viewport, choice] of [[DESK, ""], [PHONE, "Grid"]]) {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.clock.setFixedTime(DAY_2);
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    if (choice) await page.getByRole("checkbox", { name: choice }).check();
    const line = page.locator(".now-line");
    await line.waitFor({ state: "visible" });
    const running = page.locator(".grid .card.now").first();
    const [cell, at] = [await box(running.locator("xpath=..")), await box(line)];
    const share = (at.top - cell.top) / (cell.bottom - cell.top);
    // 10:15 to 11:05 at the venue; it is 11:25 there, in the session from 11:05 to 11:55.
    assert.ok(Math.abs(share - 20 / 50) < 0.05, `${share}`);
    await page.getByRole("button", { name: "Now", exact: true }).click();
    await page.waitForFunction(() => {
      const { top, bottom } = [...document.querySelectorAll(".tag.now")].at(-1).getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    });
    // The headings of the columns are in view, below the bar.
    await page.waitForFunction(() => {
      const day = document.querySelector(".tag.now").closest(".day");
      const { top, bottom } = day.querySelector("th.column").getBoundingClientRect();
      return top >= document.querySelector(".bar").getBoundingClientRect().bottom - 2 && bottom < innerHeight;
    });
    await shoot(page, `grid-now-${viewport.width}`, { whole: false });
  }
});

test("nothing scrolls the page sideways, narrow or zoomed", async (t) => {
  for (const [width, deviceScaleFactor] of [[320, 1], [360, 1], [720, 2], [800, 1], [1024, 1], [1280, 1], [1400, 1]]) {
    const { page } = await visitor(t, browser, server, { viewport: { width, height: 700 }, deviceScaleFactor });
    await page.goto("/");
    for (const path of ["/", "/days/2025-03-26"]) {
      await page.goto(path);
      assert.ok((await sideways(page)) <= 0, `${path} at ${width} px`);
      await page.locator(".switches input").filter({ visible: true }).check();
      assert.ok((await sideways(page)) <= 0, `${path} at ${width} px, the other view`);
      await page.evaluate(() => localStorage.clear());
    }
  }
});

test("more rooms than columns make a list, and a room is two taps away", async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await visitor(t, browser, crowded, { viewport: PHONE, javaScriptEnabled });
    await page.goto("/");
    assert.equal(await page.locator("table").count(), 0);
    assert.equal(await page.locator(".switches").count(), 0);
    await page.locator(".moment").nth(5).scrollIntoViewIfNeeded();
    await page.locator(".rooms summary").click();
    await shoot(page, "rooms-phone", { whole: false });
    await page.locator(".rooms").getByRole("link", { name: "Room 12", exact: true }).click();
    await page.waitForURL(/room=room-12/);
    assert.ok((await page.locator(".day .card").count()) > 20);
    assert.equal(await page.locator(".day .card").filter({ hasNotText: "Room 12" }).count(), 0);
    assert.equal(await sideways(page), 0);
  }
});

test("two tracks are printed as a table, six as a list", async (t) => {
  const shipped = await Server.start();
  t.after(() => shipped.stop());
  for (const [of, count] of [[shipped, true], [server, false]]) {
    const { page } = await visitor(t, browser, of, { viewport: { width: 703, height: 1000 } });
    await page.goto("/");
    await page.emulateMedia({ media: "print" });
    assert.equal(await isTable(page), count);
    assert.equal(await sideways(page), 0);
    await shoot(page, `print-${count ? "two" : "six"}-tracks`);
  }
});
