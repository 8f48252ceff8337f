// Compares the jCal of every golden feed with the conversion by ical.js, in both directions.
//
// `cargo test exports` writes the jCals into the build directory.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ICAL from "ical.js";

const root = path.resolve(import.meta.dirname, "../..");
const golden = path.join(root, "tests/golden");
const made = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "tmp/jcal");
// NAME and COLOR are TEXT (RFC 7986, 5.1 and 5.9). ical.js does not know them and would not unescape them.
for (const name of ["name", "color"]) {
  ICAL.design.icalendar.property[name] = ICAL.design.icalendar.property.summary;
}
/** Plain values instead of objects of ical.js, so that they can be compared. */
const parsed = (text) => JSON.parse(JSON.stringify(ICAL.parse(text)));
const feeds = readdirSync(golden).filter((name) => name.endsWith(".ics")).sort();

const unfolded = (text) => text.replaceAll("\r\n ", "").trimEnd().split("\r\n");

for (const feed of feeds) {
  const options = { skip: existsSync(made) ? false : "cargo test exports has not written the jCals" };
  test(`${feed} is the same in jCal`, options, () => {
    const text = readFileSync(path.join(golden, feed), "utf8");
    const jcal = JSON.parse(readFileSync(path.join(made, feed.replace(/ics$/, "json")), "utf8"));
    assert.deepEqual(jcal, parsed(text));
    const back = new ICAL.Component(jcal).toString();
    assert.deepEqual(parsed(back), parsed(text));
    assert.equal(unfolded(back).length, unfolded(text).length);
  });
}
