// Decodes push frames with the functions of the npm package, when told to: a number of
// rounds comes in on a line, what they cost goes out as a line of JSON. Contacts nobody.
//
//     node npm_rival.mjs MODULE FRAMES     FRAMES: each with its length before it, u32, little endian
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [module, file] = process.argv.slice(2);
const { deserializeWebSocketMessage } = await import(pathToFileURL(module).href);

const bytes = readFileSync(file);
const frames = [];
for (let at = 0; at < bytes.length; ) {
  const length = bytes.readUInt32LE(at);
  frames.push(bytes.subarray(at + 4, at + 4 + length));
  at += 4 + length;
}

for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  let decoded = 0;
  for (let round = 0; round < Number(line); round++) {
    for (const frame of frames) {
      const { protoMessageFetchResult } = await deserializeWebSocketMessage(frame);
      for (const message of protoMessageFetchResult.messages) decoded += message.decodedData ? 1 : 0;
    }
  }
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ cpu_us: user + system, decoded }));
}
