// The real server as a process on a free port, with the test's program, config and data.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const ROOT = resolve(import.meta.dirname, "../..");
const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
const BINARY = process.env.CALLBOARD ?? join(TARGET, "debug", "callboard");

const SHIPPED = {
  program: readFileSync(join(ROOT, "program.csv"), "utf8"),
  config: readFileSync(join(ROOT, "config", "callboard.toml"), "utf8"),
};

export const SECRET = "tests-only-6d1f0b7a52c94e38a1";

export class Server {
  // The shipped program and config unless told otherwise; the organizer's secret is SECRET.
  static async start({ program = SHIPPED.program, config = SHIPPED.config } = {}) {
    const server = new Server();
    server.directory = mkdtempSync(join(tmpdir(), "callboard-browser-"));
    server.file = join(server.directory, "program.csv");
    const secrets = join(server.directory, "secrets");
    writeFileSync(secrets, `ops sha256:${createHash("sha256").update(SECRET).digest("hex")}\n`);
    const settings = join(server.directory, "callboard.toml");
    writeFileSync(settings, `organizer_secret_file = ${JSON.stringify(secrets)}\n${config}`);
    writeFileSync(server.file, program);
    const data = join(server.directory, "data");
    const flags = ["--listen", "127.0.0.1:0", "--program", server.file, "--config", settings, "--data", data];
    server.process = spawn(BINARY, ["serve", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    server.log = "";
    for (const stream of [server.process.stdout, server.process.stderr]) {
      stream.on("data", (text) => (server.log += text));
    }
    server.process.on("error", (error) => (server.log += error));
    for (let tries = 0; tries < 600; tries += 1) {
      server.origin = server.log.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0];
      if (server.origin && (await fetch(server.origin).catch(() => null))?.ok) return server;
      if (server.process.exitCode !== null) break;
      await sleep(50);
    }
    const { log } = server;
    await server.stop();
    throw new Error(`it does not answer at an URL that it printed: ${log.slice(0, 4000)}`);
  }

  // Saves the file by a rename, as editors do.
  save(edit) {
    const before = readFileSync(this.file, "utf8");
    const after = edit(before);
    if (after === before) throw new Error("the edit changes nothing");
    writeFileSync(this.file, after);
  }

  async stop() {
    if (this.process.pid && this.process.exitCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGTERM");
      const late = setTimeout(() => this.process.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export const shipped = SHIPPED;
