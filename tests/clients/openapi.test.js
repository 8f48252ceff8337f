// The API's description, read by two linters of OpenAPI: each example must fit its schema.
//
// `cargo test described` writes the description into the build directory.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const here = import.meta.dirname;
const target = process.env.CARGO_TARGET_DIR ?? path.resolve(here, "../../target");
const description = path.join(target, "tmp/openapi.json");
const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };

const linters = {
  spectral: ["lint", description, "--ruleset", path.join(here, "spectral.yaml"), "--fail-severity", "hint"],
  redocly: ["lint", description, "--config", path.join(here, "redocly.yaml"), "--max-problems", "1000"],
};

for (const [linter, parameters] of Object.entries(linters)) {
  test(`${linter} finds nothing in the description`, () => {
    assert.ok(existsSync(description), "run `cargo test described` first; it writes the description");
    const done = spawnSync(path.join(here, "node_modules/.bin", linter), parameters, { cwd: here, env, encoding: "utf8" });
    const said = done.stdout + done.stderr;
    assert.equal(done.status, 0, said);
    // Redocly passes with warnings.
    assert.doesNotMatch(said, /with [1-9]\d* warning/, said);
  });
}
