// node drive_sdk.mjs URL TOKEN: a line ["METHOD", ARGUMENT] calls that method of HeadlessAuth; the
// answer is a line with what it gave.
import { createInterface } from "node:readline";
import { HeadlessAuth } from "./circle_sdk.mjs";

const circle = new HeadlessAuth(process.argv[2], process.argv[3]);
for await (const line of createInterface({ input: process.stdin })) {
  const [method, argument] = JSON.parse(line);
  console.log(JSON.stringify(await circle[method](argument)));
}
