// The real server as a process on a free port, with the test's program, config and data.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const ROOT = resolve(import.meta.dirname, "../..");
const TARGET = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target");
export const BINARY = process.env.CALLBOARD ?? join(TARGET, "debug", "callboard");

const SHIPPED = {
  program: readFileSync(join(ROOT, "program.csv"), "utf8"),
  config: readFileSync(join(ROOT, "config", "callboard.toml"), "utf8"),
};

export const SECRET = "tests-only-6d1f0b7a52c94e38a1";

export class Server {
  // The shipped program and config unless told otherwise, with further files beside the config; the organizer's secret is SECRET.
  static async start({ program = SHIPPED.program, config = SHIPPED.config, files = {} } = {}) {
    const server = new Server();
    server.directory = mkdtempSync(join(tmpdir(), "callboard-browser-"));
    server.file = join(server.directory, "program.csv");
    const secrets = join(server.directory, "secrets");
    writeFileSync(secrets, `ops sha256:${createHash("sha256").update(SECRET).digest("hex")}\n`);
    const settings = join(server.directory, "callboard.toml");
    writeFileSync(settings, `organizer_secret_file = ${JSON.stringify(secrets)}\n${config}`);
    writeFileSync(server.file, program);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(server.directory, name), content);
    const data = join(server.directory, "data");
    server.flags = ["--program", server.file, "--config", settings, "--data", data];
    await server.up();
    return server;
  }

  // Starts the process: on a free port, and later on the same one.
  async up() {
    const flags = ["--listen", this.origin ? new URL(this.origin).host : "127.0.0.1:0", ...this.flags];
    this.process = spawn(BINARY, ["serve", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.log = "";
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (text) => (this.log += text));
    }
    this.process.on("error", (error) => (this.log += error));
    for (let tries = 0; tries < 600; tries += 1) {
      this.origin = this.log.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0] ?? this.origin;
      if (this.origin && (await fetch(this.origin).catch(() => null))?.ok) return;
      if (this.process.exitCode !== null) break;
      await sleep(50);
    }
    const { log } = this;
    await this.stop();
    throw new Error(`it does not answer at an URL that it printed: ${log.slice(0, 4000)}`);
  }

  // Ends the process and leaves its data, so that the network seems to fail until up(). Chromium's emulation of an
  // offline network does not reach service workers and is lost at a reload.
  async down() {
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await ended;
  }

  // Saves the file by a rename, as editors do.
  save(edit) {
    const before = readFileSync(this.file, "utf8");
    const after = edit(before);
    if (after === before) throw new Error("the edit changes nothing");
    writeFileSync(this.file, after);
  }

  async stop() {
    if (this.process.pid && this.process.exitCode === null && this.process.signalCode === null) {
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
