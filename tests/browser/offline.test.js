// Picked sessions are shown without a network, but only as long as this device has the agenda's key.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { PHONE, launch, pick, visitor } from "./visitor.js";

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
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
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
    await page.waitForFunction(async () => !(await (await caches.open("mine")).match("/agenda/state", { ignoreVary: true })));
  };
  await forget("/agenda/key", {});
  await page.reload();
  await pressed(page, "search-for-speed").waitFor();
  assert.deepEqual(await kept(page), ["search-for-speed"]);
  await forget("/agenda/delete", { sure: "yes" });
  assert.equal(await kept(page), null);
});
