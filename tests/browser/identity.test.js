// A conference shows its logo, its accent colour, its sentence of purpose and its venue, in both colour schemes, and links
// to it have a picture.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { Server, shipped } from "./server.js";
import { DESK, PHONE, launch, shoot, visitor } from "./visitor.js";

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><style>.a{fill:#0b6e8f}</style><circle class="a" cx="20" cy="20" r="18"/><path d="M44 12h70v6H44zM44 24h48v6H44z" fill="#b4540a"/></svg>`;
const HERO = "Three days about keeping large systems reliable and their people well.";
const IDENTITY = `
[identity]
hero = ${JSON.stringify(HERO)}
accent = "#0b6e8f"
logo = "logo.svg"
venue_address = "2101 Example Boulevard, Santa Clara"
venue_map = "https://www.openstreetmap.org/way/123"
`;
const config = shipped.config.replace(/^# venue = .*$/m, 'venue = "Grand Hotel"').replace("[publishing]", `${IDENTITY}\n[publishing]`);

let browser, server;
before(async () => {
  server = await Server.start({ config, files: { "logo.svg": LOGO } });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The contrast ratio of two CSS colours such as rgb(1, 2, 3), as WCAG defines it.
function contrast(a, b) {
  const [x, y] = [a, b].map((colour) => {
    const [r, g, blue] = colour.match(/\d+/g).map(Number).map((it) => it / 255).map((it) => it <= 0.04045 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue + 0.05;
  });
  return Math.max(x, y) / Math.min(x, y);
}

for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [PHONE, DESK]) {
    test(`the identity is shown (${colorScheme}, ${viewport.width} px)`, async (t) => {
      const { page } = await visitor(t, browser, server, { colorScheme, viewport });
      await page.goto("/");
      await page.locator("html.scripted").waitFor();
      const logo = page.locator("img.logo");
      assert.ok(await logo.evaluate((it) => it.complete && it.naturalWidth > 0), "the policy lets the logo load");
      assert.ok(await page.getByText(HERO).isVisible());
      const first = await page.locator(".card h4").first().boundingBox();
      assert.ok(first.y + first.height <= viewport.height, `the first session ends at ${first.y + first.height} px`);
      const [line, paper] = await page.evaluate(() => [
        getComputedStyle(document.querySelector(".masthead")).borderBottomColor,
        getComputedStyle(document.documentElement).backgroundColor,
      ]);
      assert.ok(contrast(line, paper) >= 3, `${line} on ${paper}`);
      const venue = page.getByRole("link", { name: "Grand Hotel (map)" });
      assert.equal(await venue.getAttribute("href"), "https://www.openstreetmap.org/way/123");
      assert.ok(await page.getByText("Grand Hotel, 2101 Example Boulevard, Santa Clara").isVisible());
      await shoot(page, `identity-${colorScheme}-${viewport.width}`, { whole: false });
      for (const path of ["/agenda", "/subscribe/program"]) {
        await page.goto(path);
        assert.equal(await page.getByText(HERO).count(), 0, `${path} stays calm`);
        assert.ok(await page.locator("img.logo").isVisible());
      }
      const button = await page.evaluate(() => {
        const probe = Object.assign(document.createElement("a"), { className: "button", href: "/", textContent: "x" });
        document.querySelector("main").append(probe);
        const { color, backgroundColor } = getComputedStyle(probe);
        return [color, backgroundColor];
      });
      assert.ok(contrast(...button) >= 4.5, `${button}`);
    });
  }
}

test("a link to the program has a picture, and a home screen an icon", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  const of = (selector, name) => page.locator(selector).getAttribute(name);
  const pictures = [
    [await of("meta[property='og:image']", "content"), 1200, 630],
    [new URL(await of("link[rel=apple-touch-icon]", "href"), server.origin).href, 180, 180],
  ];
  for (const [url, width, height] of pictures) {
    const size = await page.evaluate(async (url) => {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, url);
    assert.deepEqual(size, [width, height], url);
    const { headers } = await fetch(url);
    assert.equal(headers.get("content-type"), "image/png");
    assert.match(headers.get("cache-control"), /immutable/);
  }
  // The icons of the installed program load, too.
  const manifest = await (await fetch(`${server.origin}/manifest.webmanifest`)).json();
  for (const { src } of manifest.icons) assert.equal((await fetch(new URL(src, server.origin))).status, 200, src);
});

test("a logo that is opened as a page can run nothing", async (t) => {
  const { page } = await visitor(t, browser, server);
  await page.goto("/");
  const { headers } = await fetch(new URL(await page.locator("img.logo").getAttribute("src"), server.origin));
  const policy = headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /sandbox;/);
  assert.doesNotMatch(policy, /script-src/);
});

test("a reload shows a changed logo, and refuses one with a script", async (t) => {
  const own = await Server.start({ config, files: { "logo.svg": LOGO } });
  t.after(() => own.stop());
  const logo = async () => (await (await fetch(own.origin)).text()).match(/class="logo" src="([^"]+)"/)[1];
  const until = async (holds) => {
    for (let tries = 0; tries < 200 && !(await holds()); tries += 1) await new Promise((done) => setTimeout(done, 50));
    assert.ok(await holds());
  };
  const before = await logo();
  writeFileSync(`${own.directory}/logo.svg`, LOGO.replace("#0b6e8f", "#3d7a37"));
  own.process.kill("SIGHUP");
  await until(async () => (await logo()) !== before);
  const changed = await logo();
  writeFileSync(`${own.directory}/logo.svg`, LOGO.replace("<circle", "<script>alert(1)</script><circle"));
  own.process.kill("SIGHUP");
  await until(() => own.log.includes("can run scripts; remove it"));
  assert.equal(await logo(), changed, "the identity in force stays");
});

test("six tracks without colours can be told apart", async (t) => {
  const tracks = Array.from({ length: 6 }, (_, n) => `[[tracks]]\nname = "Stage ${n + 1}"\n`).join("");
  const own = await Server.start({
    config: `[conference]\ntitle = "Six"\nzone = "America/Los_Angeles"\n${tracks}`,
    program: `id,date,start,end,kind,title,track\n${Array.from({ length: 6 }, (_, n) => `s-${n}x,2025-03-25,09:00,10:00,talk,Talk ${n},Stage ${n + 1}\n`).join("")}`,
  });
  t.after(() => own.stop());
  for (const colorScheme of ["light", "dark"]) {
    const { page } = await visitor(t, browser, own, { colorScheme });
    await page.goto("/");
    const [paper, ...bars] = await page.evaluate(() => [
      getComputedStyle(document.documentElement).backgroundColor,
      ...[...document.querySelectorAll(".card")].map((it) => getComputedStyle(it).getPropertyValue("--track").trim()),
    ]);
    assert.equal(new Set(bars).size, 6, `${bars}`);
    for (const bar of bars) {
      const rgb = `rgb(${bar.slice(1).match(/../g).map((hex) => Number.parseInt(hex, 16)).join(", ")})`;
      assert.ok(contrast(rgb, paper) >= 3, `${colorScheme}: ${bar}`);
    }
  }
});
