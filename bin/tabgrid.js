#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cli = new URL('../dist/node/cli.js', import.meta.url);
let built = existsSync(cli);
if (!built) {
  // A fresh clone builds itself. Standard output belongs to the command.
  console.error('Building Tabgrid; this is done once.');
  const build = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));
  built = spawnSync(process.execPath, [build, '--quiet'], { stdio: ['ignore', 2, 2] }).status === 0;
}
if (built) await import(cli.href);
else process.exitCode = 1;
