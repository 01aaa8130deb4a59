// A line of JSON in, one out: {photo, folder, form, images, qualities} -> {cpu_ms, bytes, peak_mib}.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const sharp = require('sharp');

const WIDTHS = [1600, 800, 400];
// One picture, one core, on both sides; and no result is kept.
sharp.concurrency(1);
sharp.cache(false);

// As its documents show: one input, a clone for each output. Each clone decodes, shrunk while loading.
async function clones(photo, qualities) {
  const input = sharp(photo, { failOn: 'truncated' }).autoOrient();
  return Promise.all(
    WIDTHS.map((width, at) =>
      input.clone().resize({ width }).webp({ quality: qualities[at], effort: 4 }).toBuffer(),
    ),
  );
}

// By hand: decoded once, each size from the one before it.
async function cascade(photo, qualities) {
  const made = [];
  let from = sharp(photo, { failOn: 'truncated' }).autoOrient();
  for (const [at, width] of WIDTHS.entries()) {
    const { data, info } = await from.resize({ width }).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: info.channels };
    made.push(await sharp(data, { raw }).webp({ quality: qualities[at], effort: 4 }).toBuffer());
    from = sharp(data, { raw });
  }
  return made;
}

async function answer({ photo, folder, form, images, qualities }) {
  const work = form === 'cascade' ? cascade : clones;
  const before = process.cpuUsage();
  let made = [];
  for (let number = 0; number < images; number += 1) made = await work(photo, qualities);
  const used = process.cpuUsage(before);
  made.forEach((bytes, at) => fs.writeFileSync(path.join(folder, `${WIDTHS[at]}.webp`), bytes));
  const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
  return {
    cpu_ms: (used.user + used.system) / 1000 / images,
    bytes: made.map((one) => one.length),
    peak_mib: peak / 1024,
    versions: { sharp: sharp.versions.sharp, vips: sharp.versions.vips, webp: sharp.versions.webp },
  };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
})();
