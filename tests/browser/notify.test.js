// Messages about changes: the button on the agenda page in every state of browsers, the devices without scripts, and the
// worker of a real Chromium, which shows a message and opens its session.
import assert from "node:assert/strict";
import { createECDH, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, Server } from "./server.js";
import { PHONE, launch, pick, shoot, unfold, visitor } from "./visitor.js";

const CONFIG = readFileSync(join(ROOT, "config", "callboard.toml"), "utf8");

let browser, server;
before(async () => {
  server = await Server.start({ config: `${CONFIG}\n[push]\ncontact = "mailto:desk@conf.example.org"\n` });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const state = (page, name) => page.locator(`#notify [data-state="${name}"]:visible`);

// Chromium subscribes only with its maker's push service, which tests cannot reach. `pushes` stands in for it.
function withPushes(context, n, permission = "granted") {
  const keys = { p256dh: createECDH("prime256v1").generateKeys("base64url"), auth: randomBytes(16).toString("base64url") };
  const endpoint = `https://push.example.org/send/${n}`;
  return context.addInitScript(({ endpoint, keys, permission }) => {
    let held = localStorage.getItem("held");
    const subscription = () => ({
      endpoint, options: {}, toJSON: () => ({ endpoint, expirationTime: null, keys }),
      unsubscribe: async () => { held = null; localStorage.removeItem("held"); return true; },
    });
    PushManager.prototype.getSubscription = async () => (held ? subscription() : null);
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
      if (!userVisibleOnly || applicationServerKey.length !== 87) throw new Error("other options");
      held = "yes";
      localStorage.setItem("held", held);
      return subscription();
    };
    let answered = held ? permission : "default";
    Notification.requestPermission = async () => (answered = permission);
    Object.defineProperty(Notification, "permission", { get: () => answered });
  }, { endpoint, keys, permission });
}

async function agenda(page) {
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker?.ready);
  await pick(page, "slow-queries");
  await page.goto("/agenda");
  await page.locator("#notify").waitFor();
}

test("one press subscribes the device, and another ends it", async (t) => {
  const { context, page } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await withPushes(context, 1);
  await agenda(page);
  assert.match(await state(page, "ask").textContent(), /moved, canceled or takes place after all/);
  await shoot(page, "notify-ask");
  await page.getByRole("button", { name: "Notify me of changes" }).click();
  await state(page, "on").waitFor();
  await page.reload();
  await state(page, "on").waitFor();
  await unfold(page, "devices");
  assert.match(await page.locator("#devices li").textContent(), /Chrome, Linux/);
  await shoot(page, "notify-on");
  await page.getByRole("button", { name: "Stop" }).click();
  await state(page, "ask").waitFor();
  await page.reload();
  assert.equal(await page.locator("#devices").count(), 0);
});

test("a device asks for reminders, and keeps its choice", async (t) => {
  const { context, page } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await withPushes(context, 5);
  await agenda(page);
  const box = page.getByLabel("Also remind me 10 minutes before each session");
  assert.equal(await box.isVisible(), false, "only a device that is notified can be reminded");
  await page.getByRole("button", { name: "Notify me of changes" }).click();
  await state(page, "on").waitFor();
  assert.equal(await box.isChecked(), false);
  const change = async (isOn) => {
    const saved = page.waitForResponse((answer) => answer.url().endsWith("/agenda/devices"));
    await box.setChecked(isOn);
    assert.equal((await saved).status(), 200);
    await page.locator("[data-reminders]:enabled").waitFor();
    await page.reload();
    await state(page, "on").waitFor();
    assert.equal(await box.isChecked(), isOn);
  };
  await change(true);
  await shoot(page, "notify-reminders");
  // A new key of the agenda ends the subscription, and the page makes it again with the choice.
  await unfold(page, "key");
  const again = page.waitForResponse((answer) => answer.url().endsWith("/agenda/devices"));
  await page.locator("#key form button").click();
  assert.equal((await again).status(), 200);
  await page.goto("/agenda");
  await state(page, "on").waitFor();
  assert.equal(await box.isChecked(), true);
  await change(false);
  // Without the server, the box shows what the server has.
  await context.setOffline(true);
  await box.click();
  await state(page, "failed").waitFor();
  assert.equal(await box.isChecked(), false);
});

test("a device that another one removed offers the button again, and works without scripts", async (t) => {
  const { context, page } = await visitor(t, browser, server, { worker: true });
  await withPushes(context, 2);
  await agenda(page);
  await page.getByRole("button", { name: "Notify me of changes" }).click();
  await state(page, "on").waitFor();
  const cookies = await context.cookies();
  const plain = await visitor(t, browser, server, { worker: true, javaScriptEnabled: false });
  await plain.context.addCookies(cookies);
  await plain.page.goto("/agenda");
  assert.equal(await plain.page.locator("#notify:visible").count(), 0, "the button needs a script");
  await plain.page.locator("#devices summary").click();
  await plain.page.locator("#devices button").click();
  await plain.page.getByText("The device gets no more messages.").waitFor();
  await page.reload();
  await state(page, "ask").waitFor();
});

test("a new key ends the messages of other devices, not of this one", async (t) => {
  const { context, page } = await visitor(t, browser, server, { worker: true });
  await withPushes(context, 3);
  await agenda(page);
  await page.getByRole("button", { name: "Notify me of changes" }).click();
  await state(page, "on").waitFor();
  await unfold(page, "key");
  const again = page.waitForResponse((answer) => answer.url().endsWith("/agenda/devices"));
  await page.locator("#key form button").click();
  assert.equal((await again).status(), 200);
  await page.goto("/agenda");
  await state(page, "on").waitFor();
});

test("a browser that blocks or lacks notifications says so in plain words", async (t) => {
  const denied = await visitor(t, browser, server, { worker: true });
  await withPushes(denied.context, 4, "denied");
  await agenda(denied.page);
  await denied.page.getByRole("button", { name: "Notify me of changes" }).click();
  await state(denied.page, "denied").waitFor();

  const old = await visitor(t, browser, server, { worker: true });
  await old.context.addInitScript(() => { delete window.PushManager; });
  await agenda(old.page);
  await state(old.page, "unsupported").waitFor();

  const phone = await visitor(t, browser, server, {
    worker: true,
    userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  });
  await phone.context.addInitScript(() => { delete window.PushManager; });
  await agenda(phone.page);
  await state(phone.page, "ios").waitFor();
});

test("Chromium's worker shows a message, and a click opens its session", async (t) => {
  const { context, page } = await visitor(t, browser, server, { worker: true });
  await context.grantPermissions(["notifications"], { origin: server.origin });
  const protocol = await context.newCDPSession(page);
  const registered = new Promise((resolve) => {
    protocol.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      const found = registrations.find(({ scopeURL }) => scopeURL === `${server.origin}/`);
      if (found) resolve(found.registrationId);
    });
  });
  await protocol.send("ServiceWorker.enable");
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker.ready);
  const registrationId = await registered;
  const shown = () => page.evaluate(async () => {
    const { title, body, tag, lang, data } = (await (await navigator.serviceWorker.ready).getNotifications()).at(-1) ?? {};
    return title && { title, body, tag, lang, data };
  });
  const deliver = async (data) => {
    await protocol.send("ServiceWorker.deliverPushMessage", { origin: server.origin, registrationId, data });
    for (let tries = 0; tries < 50; tries += 1) {
      const found = await shown();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return null;
  };
  const navigate = `${server.origin}/sessions/slow-queries`;
  const notification = { title: "Slow Queries: moved to Thu 10:30 am", body: "Moved from Tue to Thu.", lang: "en-US", tag: "t1", navigate };
  assert.deepEqual(
    await deliver(JSON.stringify({ web_push: 8030, notification })),
    { title: notification.title, body: notification.body, tag: "t1", lang: "en-US", data: { navigate } },
  );

  // The protocol cannot press a notification, and the browser opens windows only for a real press. So the event is made
  // here, and the window that the worker asks for is opened by the test.
  const worker = context.serviceWorkers().find((worker) => worker.url().startsWith(server.origin));
  const asked = await worker.evaluate(async () => {
    let asked = null;
    self.clients.openWindow = async (url) => { asked = url; };
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
    for (let tries = 0; tries < 50 && !asked; tries += 1) await new Promise((resolve) => setTimeout(resolve, 50));
    return asked;
  });
  assert.equal(asked, navigate);
  assert.equal(await shown(), undefined, "a pressed message is closed");
  await page.goto(asked);
  await page.getByRole("heading", { level: 1, name: /Slow Queries|Slow/i }).waitFor();

  // Three messages without a notification would cost the permission.
  assert.equal((await deliver("no JSON")).title, new URL(server.origin).host);
});
