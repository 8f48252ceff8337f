// After one visit, program, search and picks work without a network. What is private stays only as long as this device has
// the agenda's key.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { manyRooms } from "./programs.js";
import { Server } from "./server.js";
import { PHONE, launch, pick, shoot, until, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const pressed = (page, session) => page.locator(`button.pick[value="${session}"][aria-pressed="true"]`);
const kept = (page) => page.evaluate(async () => {
  const answer = await (await caches.open("mine")).match("/agenda/state", { ignoreVary: true });
  return answer ? (await answer.json()).picks : null;
});

test("offline, what was picked is picked, and can be taken back", async (t) => {
  const { page } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await pick(page, "slow-queries");
  await pick(page, "search-for-speed");
  await server.down();
  await page.reload();
  await pressed(page, "slow-queries").waitFor();
  await pressed(page, "search-for-speed").waitFor();
  assert.equal((await page.locator("[data-count]").first().textContent()).trim(), "2");
  await page.locator('button.pick[value="slow-queries"]').click();
  await page.locator('button.pick[value="slow-queries"][aria-pressed="false"]').waitFor();
  await page.reload();
  await pressed(page, "search-for-speed").waitFor();
  await page.locator('button.pick[value="slow-queries"][aria-pressed="false"]').waitFor();
  await server.up();
  await page.locator("#notice").filter({ hasText: "your picks are saved" }).waitFor();
  assert.deepEqual(await kept(page), ["search-for-speed"]);

  // After a new key or the deletion of the agenda, the device stores no picks.
  const forget = async (path, body) => {
    await page.evaluate(async ([path, body]) => {
      await fetch(path, { method: "POST", body: new URLSearchParams(body) });
    }, [path, body]);
    await until(page, async () => !(await (await caches.open("mine")).match("/agenda/state", { ignoreVary: true })));
  };
  await forget("/agenda/key", {});
  await page.reload();
  await pressed(page, "search-for-speed").waitFor();
  assert.deepEqual(await kept(page), ["search-for-speed"]);
  await forget("/agenda/delete", { sure: "yes" });
  assert.equal(await kept(page), null);
});

// Waits until the worker has kept a release as a whole.
const untilKept = (page, release = "1") => until(page, async (release) =>
  (await (await (await caches.open("about")).match("/"))?.json())?.release === release, release);
const keptPaths = (page) => page.evaluate(async () =>
  (await (await caches.open("pages")).keys()).map(({ url }) => new URL(url).pathname + new URL(url).search));
// What the worker has fetched since it started.
const fetched = (context) => context.serviceWorkers()[0].evaluate(() =>
  performance.getEntriesByType("resource").map(({ name, transferSize }) => [new URL(name).pathname, transferSize]));
const workerOf = async (context) => context.serviceWorkers()[0] ?? context.waitForEvent("serviceworker");

async function ownServer(t, options) {
  const own = await Server.start(options);
  t.after(() => own.stop());
  return own;
}

test("after one visit, the whole program, its search and the agenda work without a network", async (t) => {
  const own = await ownServer(t);
  const { page, context } = await visitor(t, browser, own, { worker: true, viewport: PHONE });
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await pick(page, "slow-queries");
  await untilKept(page);
  await until(page, async () =>
    (await (await (await caches.open("pages")).match("/agenda"))?.text())?.includes("slow-queries"));
  const bytes = (await fetched(context)).reduce((sum, [, size]) => sum + size, 0);
  const count = (await fetched(context)).length;
  t.diagnostic(`${count} requests, ${bytes} bytes in the background`);
  assert.ok(count < 250 && bytes < 1_500_000, `${count} requests, ${bytes} bytes`);

  await own.down();
  for (const path of [
    "/sessions/search-for-speed", "/sessions/slow-queries", "/days/2025-03-25", "/tracks/track-1", "/speakers/scott-laird",
    "/speakers", "/tracks", "/rooms", "/changes", "/agenda",
  ]) {
    await page.goto(path);
    assert.doesNotMatch(await page.locator("h1").first().textContent(), /offline/, path);
  }
  await page.locator("#slow-queries").waitFor();
  await page.goto("/sessions/slow-queries");
  await pressed(page, "slow-queries").waitFor();
  await page.goto("/mine");
  await pressed(page, "slow-queries").waitFor();
  await page.goto("/?q=bluesky");
  await page.locator("#results li").first().waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), "bluesky");
  assert.equal(await page.locator(".day").first().isVisible(), false);
  await shoot(page, "offline-search", { whole: false });
  await page.goto("/?track=track-1");
  await page.locator("h1").filter({ hasText: "You’re offline" }).waitFor();

  // The agenda leaves the device with its key.
  await own.up();
  await page.goto("/agenda");
  await page.goto("/agenda/plan");
  assert.ok((await keptPaths(page)).includes("/agenda/plan"));
  await page.evaluate(() => fetch("/agenda/delete", { method: "POST", body: new URLSearchParams({ sure: "yes" }) }));
  await until(page, async () =>
    (await (await caches.open("pages")).keys()).every(({ url }) => !new URL(url).pathname.startsWith("/agenda")));
});

test("a browser whose agenda's key was taken away keeps no page of the agenda", async (t) => {
  const { page, context } = await visitor(t, browser, server, { worker: true });
  await page.goto("/");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await pick(page, "slow-queries");
  await until(page, async () => (await caches.open("pages")).match("/agenda"));
  await context.clearCookies();
  await page.goto("/");
  await until(page, async () => !(await (await caches.open("pages")).match("/agenda")));
  assert.equal(await kept(page), null);
});

test("a release renews the sessions that it changed", async (t) => {
  const own = await ownServer(t);
  const { page, context } = await visitor(t, browser, own, { worker: true });
  await page.goto("/");
  await untilKept(page);
  const worker = await workerOf(context);
  // Devices spread their requests over half a minute; this one is the first.
  await worker.evaluate(() => { Math.random = () => 0; performance.clearResourceTimings(); });
  own.save((csv) => csv.replace("The Search for Speed", "The Search for More Speed"));
  await page.locator("#notice").filter({ hasText: "The program was updated." }).waitFor();
  await page.reload();
  await untilKept(page, "2");
  const paths = (await fetched(context)).map(([path]) => path);
  assert.deepEqual(paths.filter((path) => path.startsWith("/sessions/")), ["/sessions/search-for-speed"]);
  assert.deepEqual(paths.filter((path) => path.startsWith("/speakers/")), ["/speakers/scott-laird"]);
  await own.down();
  await page.goto("/sessions/search-for-speed");
  assert.equal(await page.locator("h1").textContent(), "The Search for More Speed");
  await page.goto("/?q=more+speed");
  await page.locator("#results li").filter({ hasText: "More Speed" }).waitFor();
});

test("a browser that saves data fetches nothing in the background", async (t) => {
  const { page, context } = await visitor(t, browser, server, { worker: true });
  await page.goto("/");
  const worker = await workerOf(context);
  await worker.evaluate(() => Object.defineProperty(navigator, "connection", { value: { saveData: true } }));
  await page.waitForTimeout(4000);
  assert.deepEqual((await keptPaths(page)).sort(), ["/", "/offline", "/search.json"]);
});

test("of a very large program, only picked and visited sessions are kept", async (t) => {
  const own = await ownServer(t, manyRooms());
  const { page } = await visitor(t, browser, own, { worker: true });
  await page.goto("/");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  const session = await page.locator("button.pick").first().getAttribute("value");
  await pick(page, session);
  await untilKept(page);
  const paths = await keptPaths(page);
  assert.deepEqual(paths.filter((path) => path.startsWith("/sessions/")), [`/sessions/${session}`]);
  assert.ok(paths.filter((path) => path.startsWith("/days/")).length >= 3);
});

// A phone that has picked a session and has kept the program.
async function keptVisit(t) {
  const own = await ownServer(t);
  const { page } = await visitor(t, browser, own, { worker: true, viewport: PHONE });
  await page.goto("/");
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await pick(page, "slow-queries");
  await untilKept(page);
  return { own, page };
}

test("a pick that is not saved yet looks unlike a saved one, also after a reload, and an overlap is said", async (t) => {
  const { own, page } = await keptVisit(t);
  const waits = (session) => page.locator(`.waiting:has(button.pick[value="${session}"])`).getByText("Not saved yet");
  const look = (session) => page.locator(`button.pick[value="${session}"]`).evaluate((it) => getComputedStyle(it).backgroundColor);
  await own.down();
  await page.locator('button.pick[value="ml-monitoring"]').click();
  await waits("ml-monitoring").waitFor();
  const notice = page.locator("#notice");
  await notice.filter({ hasText: /overlaps with “.*Slow Queries.*You’re offline/ }).waitFor();
  await notice.getByRole("button", { name: "Keep both" }).click();
  for (const path of ["/", "/sessions/ml-monitoring"]) {
    await page.goto(path);
    await waits("ml-monitoring").waitFor();
    if (path === "/") assert.notEqual(await look("ml-monitoring"), await look("slow-queries"));
    await shoot(page, `offline-waiting${path.replaceAll("/", "-")}`, { whole: false });
  }
  await page.goto("/agenda");
  const list = page.locator("#waiting");
  await list.getByRole("link", { name: /ML/ }).waitFor();
  assert.equal(await list.getByRole("link").count(), 1, "slow-queries is on the page that was kept");
  await shoot(page, "offline-waiting-agenda", { whole: false });
  await page.goto("/");
  await page.locator('button.pick[value="slow-queries"]').click();
  await waits("slow-queries").waitFor();
  await own.up();
  await page.locator("#notice").filter({ hasText: "your picks are saved" }).waitFor();
  assert.equal(await page.locator(".waiting, .not-saved").count(), 0);
});

test("an agenda that was kept before a pick has it once it is saved", async (t) => {
  const { own, page } = await keptVisit(t);
  await own.down();
  await page.locator('button.pick[value="live-laugh-log"]').click();
  await page.locator(".not-saved").first().waitFor();
  await page.goto("/agenda");
  await page.locator("#waiting").getByRole("link").waitFor();
  await own.up();
  await page.locator("#live-laugh-log.card").waitFor({ timeout: 30_000 });
  assert.equal(await page.locator("#waiting").count(), 0);
});
