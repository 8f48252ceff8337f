// Titles, names, abstracts and addresses that contain markup or script stay text on every page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, shipped } from "./server.js";
import { DESK, PHONE, launch, pick, shoot, unfold, visitor } from "./visitor.js";

const SCRIPT = "</script><script>hostile('script')</script>";
const IMAGE = `"><img src=x onerror="hostile('image')">`;
const LONG = "x".repeat(10_000);
const EMOJI = "👩🏽‍🚀 🏳️‍🌈 𝕊ℝ𝔼 \u{1F469}\u200D\u{1F4BB}";

// id, title, speaker, affiliation, abstract, bio
const SESSIONS = [
  ["script", SCRIPT, `Mallory ${SCRIPT}`, "</title><svg onload=hostile(1)>", `${SCRIPT}\n\n• ${SCRIPT}\n• ${IMAGE}`, SCRIPT],
  ["image", IMAGE, `O'Neil "Bobby" ${IMAGE}`, "' onmouseover='hostile(2)", IMAGE, IMAGE],
  ["quotes", `'"\`<!--<b>&lt;&amp; {{ 7*7 }} \${7*7} %3Cscript%3E ]]>`, "' <Quote> &quot", "&quot &#39 <u", "&lt;script&gt;hostile(3)&lt;/script&gt;", "--&gt;"],
  ["right-to-left", "שלום \"עולם\" (1) مرحبا", "دانيال كوهين", "جامعة القاهرة", "مرحبا بالعالم 2025-03-25 (abc)", "שלום"],
  ["emoji", EMOJI, `${EMOJI} Ada`, EMOJI, EMOJI, EMOJI],
  ["long", "W".repeat(1000), "N".repeat(200), "A".repeat(200), LONG, LONG],
  ["template", "javascript:hostile(4)", "{% include '/etc/passwd' %}", "../../etc/passwd", "data:text/html,<script>hostile(5)</script>", "`${hostile(6)}`"],
];
const URL_HOSTILE = `https://example.org/"><script>hostile('url')</script>?a='&b=</script>#"onclick="hostile(7)`;
const TRACK = `Track </script><b>"1'`;
const CONFERENCE = `SRE</script><script>hostile('title')</script> "con" & 'Co'`;

const cell = (text) => `"${text.replaceAll('"', '""')}"`;
const rows = SESSIONS.map(([id, title, name, standing, abstract, bio], n) => [
  id, "2025-03-25", `${9 + Math.floor(n / 2)}:00`, `${9 + Math.floor(n / 2)}:45`, "talk", title, "Track 1",
  `Room ${IMAGE}`, `${name}, ${standing}`, abstract, bio, URL_HOSTILE, `Slides ${IMAGE.replaceAll(" ", "")} ${URL_HOSTILE}`,
]);
const program = [
  ["id", "date", "start", "end", "kind", "title", "track", "room", "speakers", "abstract", "bios", "url", "links"],
  ...rows,
].map((row) => row.map(cell).join(",")).join("\r\n");
const config = shipped.config
  .replace('title = "SREcon25 Americas"', `title = ${JSON.stringify(CONFERENCE)}`)
  .replace('name = "Track 1"', `name = ${JSON.stringify(TRACK)}`)
  .replace(/^about = .*$/m, `about = ${JSON.stringify(SCRIPT + IMAGE)}`);

let browser, server;
before(async () => {
  // A file may name a track by its slug.
  const text = program.replaceAll('"Track 1"', '"track-1"');
  server = await Server.start({ program: text, config });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// Checks that no script ran, no text became an element, and the JSON-LD for search engines is valid.
async function harmless(page, where) {
  const found = await page.evaluate(() => ({
    ran: globalThis.ran,
    elements: [...document.querySelectorAll("main :is(script, img, iframe, object, embed, b, i, svg[onload], title), body > script")].map((it) => it.outerHTML),
    handlers: [...document.querySelectorAll("*")].filter((it) => [...it.attributes].some(({ name }) => name.startsWith("on"))).map((it) => it.outerHTML),
    links: [...document.querySelectorAll("[href], [action], [src]")].map((it) => it.getAttribute("href") ?? it.getAttribute("action") ?? it.getAttribute("src")).filter((it) => /^\s*(javascript|data|vbscript):/i.test(it)),
    qr: [...document.querySelectorAll("main svg")].flatMap((it) => [...it.querySelectorAll("*")]).map((it) => it.tagName).filter((it) => !/^(path|rect|title|g)$/.test(it)),
    schema: [...document.querySelectorAll('script[type="application/ld+json"]')].map((it) => it.textContent),
    over: document.documentElement.scrollWidth - innerWidth,
  }));
  const schema = found.schema.map((text) => JSON.parse(text));
  delete found.schema;
  assert.deepEqual(found, { ran: [], elements: [], handlers: [], links: [], qr: [], over: Math.min(found.over, 0) }, where);
  return schema;
}

const text = (page, selector) => page.locator(selector).first().evaluate((it) => it.textContent);

for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
  test(`hostile text stays text on every page (${name})`, async (t) => {
    const { page, context } = await visitor(t, browser, server, { worker: true, viewport });
    await context.addInitScript(() => {
      globalThis.ran = [];
      globalThis.hostile = (what) => globalThis.ran.push(what);
    });
    await page.goto("/");
    assert.equal(await text(page, ".conference"), CONFERENCE);
    assert.match(await page.title(), /<\/script>/);
    for (const [id, title] of SESSIONS) assert.equal(await text(page, `#t-${id}`), title);
    assert.equal(await text(page, "#script .track"), TRACK);
    const [whole] = await harmless(page, "/");
    assert.equal(whole.name, CONFERENCE);
    assert.deepEqual(whole.subEvent.map((it) => it.name).sort(), SESSIONS.map(([, title]) => title).sort());
    await shoot(page, `hostile-program-${name}`);

    const speakers = new Set();
    for (const [id, title, speaker, , abstract] of SESSIONS) {
      await page.goto(`/sessions/${id}`);
      assert.equal(await text(page, "h1"), title);
      assert.equal(await text(page, ".speaker h3"), speaker);
      const prose = await text(page, "article .body > .prose");
      for (const piece of abstract.split("\n").filter(Boolean)) assert.ok(prose.includes(piece.replace(/^• /, "")), id);
      for (const link of await page.locator("a[href*='example.org']").all()) {
        assert.equal(new URL(await link.getAttribute("href")).host, "example.org");
      }
      const [schema] = await harmless(page, `/sessions/${id}`);
      assert.equal(schema.name, title);
      speakers.add(await page.locator(".speaker h3 a").getAttribute("href"));
      await shoot(page, `hostile-session-${id}-${name}`);
    }
    for (const path of speakers) {
      await page.goto(path);
      const name = await text(page, "h1");
      assert.ok(SESSIONS.some(([, , speaker]) => speaker === name), name);
      await harmless(page, path);
    }
    for (const path of [
      "/tracks/track-1", "/tracks/discussion-track", "/changes", "/?embed", "/offline", "/subscribe/program",
      "/subscribe/tracks/track-1", "/?q=" + encodeURIComponent(SCRIPT + IMAGE),
      "/?q=" + encodeURIComponent(IMAGE), "/" + encodeURIComponent(SCRIPT), "/?track=" + encodeURIComponent(IMAGE),
    ]) {
      await page.goto(path);
      await harmless(page, path);
    }

    await page.goto("/");
    for (const [id] of SESSIONS) {
      await pick(page, id);
      // An overlap is announced at the foot of the window until a choice is made.
      const keepBoth = page.locator("#notice button").first();
      if (await keepBoth.isVisible()) await keepBoth.click();
    }
    await page.goto("/agenda");
    await unfold(page, "name");
    await page.locator("input[name=name]").fill(`Mine ${SCRIPT}${IMAGE}`.slice(0, 100));
    await page.locator("form[action='/agenda/name'] button").click();
    await unfold(page, "links");
    await page.locator("input[name=label]").fill(IMAGE);
    await page.locator("form[action='/agenda/links'] button:not([name])").click();
    await page.locator(".link").nth(1).waitFor();
    assert.equal(await text(page, "h1"), `Mine ${SCRIPT}${IMAGE}`.slice(0, 100));
    assert.ok((await page.locator(".link h3").allTextContents()).includes(IMAGE));
    for (const [id, title] of SESSIONS) assert.equal(await text(page, `#t-${id}`), title);
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
    await harmless(page, "/agenda");
    await shoot(page, `hostile-agenda-${name}`);
    const shared = await page.locator(".link a[href^='/agendas/']").first().getAttribute("href");
    for (const path of [shared, `/subscribe${shared}`]) {
      await page.goto(path);
      await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
      await harmless(page, path);
      await shoot(page, `hostile-${path.split("/")[1]}-${name}`);
    }
  });
}

test("an edit to hostile text is shown as text, on the notice and among the changes", async (t) => {
  const { page, context } = await visitor(t, browser, server, { worker: true });
  await context.addInitScript(() => {
    globalThis.ran = [];
    globalThis.hostile = (what) => globalThis.ran.push(what);
  });
  const opened = page.waitForResponse("**/events");
  await page.goto("/sessions/script");
  await opened;
  server.save((csv) => csv.replace("javascript:hostile(4)", "javascript:hostile(44)//</li><script>hostile(45)</script>"));
  await page.locator("#notice a").waitFor();
  await harmless(page, "the notice");
  await page.goto("/changes");
  await page.locator(".changes li").filter({ hasText: "</li><script>hostile(45)</script>" }).first().waitFor();
  await harmless(page, "/changes");
});
