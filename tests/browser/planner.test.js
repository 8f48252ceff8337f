// A suggested day: ranked, suggested, swapped, kept free of a busy time and applied, with scripts and without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { DESK, PHONE, launch, pick, shoot, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const chosen = (page) => page.locator(".suggestion h4").allTextContents();
// Waits from before the press on, because a script removes `done` from the address of the page that follows.
const press = (page, button, address) => Promise.all([page.waitForURL(address), button.click()]);
const leftOut = (page) => page.locator(".suggestion .plain > .card");

for (const viewport of [PHONE, DESK]) {
  for (const scripted of [true, false]) {
    test(`a day is ranked, suggested and applied: ${viewport.width} px, ${scripted ? "scripted" : "plain"}`, async (t) => {
      const { page } = await visitor(t, browser, server, { javaScriptEnabled: scripted, viewport });
      for (const session of ["slow-queries", "ml-monitoring", "thundering-herd"]) {
        await page.goto("/");
        await pick(page, session, { scripted });
      }

      await page.goto("/agenda");
      const talk = page.locator("#ml-monitoring");
      await talk.getByText("Want to see").first().click();
      await press(page, talk.getByRole("button", { name: /^Must see/ }), /done=ranked#ml-monitoring$/);
      await page.getByRole("status").filter({ hasText: "Saved." }).waitFor();
      await talk.getByText("Must see").first().waitFor();
      await shoot(page, `planner-${viewport.width}-${scripted}-1-ranked`);

      await page.getByRole("link", { name: "Suggest my day" }).click();
      await page.getByText("2 of your 3 sessions fit together.").waitFor();
      assert.equal((await chosen(page)).length, 2);
      assert.equal(await leftOut(page).count(), 1);
      const left = page.locator("#slow-queries");
      await left.getByText(/To attend it, you’d have to skip “.*ML/i).waitFor();
      await shoot(page, `planner-${viewport.width}-${scripted}-2-suggested`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${over} px wider than the window`);

      // A busy time takes the place of the must-see session. A form that is refused keeps what was typed.
      await page.locator("select[name=date]").selectOption("2025-03-25");
      await page.getByLabel("From").fill("11:10");
      await page.getByLabel("To", { exact: true }).fill("11:00");
      await page.getByLabel("Note (optional)").fill("A call");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator("#bad-busy").waitFor();
      assert.equal(await page.locator("select[name=date]").inputValue(), "2025-03-25");
      assert.equal(await page.getByLabel("From").inputValue(), "11:10");
      assert.equal(await page.getByLabel("Note (optional)").inputValue(), "A call");
      await page.getByLabel("To", { exact: true }).fill("11:20");
      await press(page, page.getByRole("button", { name: "Add", exact: true }), /done=busy#busy$/);
      assert.equal(await leftOut(page).count(), 2);
      assert.equal(await page.getByText("You’re busy then: A call.").count(), 2);
      await shoot(page, `planner-${viewport.width}-${scripted}-3-busy`);
      await press(page, page.getByRole("button", { name: /^Remove Tue 25/ }), /done=free#busy$/);
      assert.equal(await leftOut(page).count(), 1);

      await left.getByRole("button", { name: /^Attend this instead/ }).click();
      await page.getByText("All your sessions fit together.").waitFor();
      assert.equal(await page.locator("#ml-monitoring").count(), 0, "the button removed it");
      assert.equal(await page.locator("#slow-queries h4").count(), 1);

      await page.goto("/");
      await pick(page, "ml-monitoring", { scripted });
      await page.goto("/agenda");
      await page.getByRole("link", { name: /^Suggest this day/ }).first().click();
      await page.waitForURL(/plan\?day=2025-03-25$/);
      await press(page, page.getByRole("button", { name: /^Remove the session that was left out/ }), /done=planned&day=2025-03-25$/);
      await page.getByRole("status").filter({ hasText: "Your sessions fit together now." }).waitFor();
      assert.equal((await chosen(page)).length, 2);
    });
  }
}
