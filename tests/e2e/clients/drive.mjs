// What the test asks on standard input, the client in docs/clients/rota.mjs answers. See clients_test.cc.
import { createInterface } from "node:readline";
import { MemberGone, Rota } from "./rota.mjs";

const client = new Rota({
  path: process.argv[2],
  patience: 1000 * process.argv[3],
  bearer: process.env.ROTA_TOKEN,
});
const last = {};
for await (const line of createInterface({ input: process.stdin })) {
  const [what, name, value] = line.split(" ");
  try {
    const refused = what === "refused" ? last[value] : undefined;
    last[value] = await client.token({ [name]: value }, { refused });
    console.log("token", last[value]);
  } catch (error) {
    if (error instanceof MemberGone) console.log("gone", error.code);
    else console.log("error", error.code, error.retryAfter ?? 0);
  }
}
