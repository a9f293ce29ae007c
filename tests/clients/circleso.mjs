// The package circleso, unmodified, after one changed URL: node circleso.mjs BASE-URL
// Prints what each call gave, as JSON, one a line.
import { createAuth } from "circleso/auth";

const auth = createAuth({ token: "any", baseUrl: process.argv[2] });
const say = (what, value) => console.log(JSON.stringify({ what, value }));
const refusal = async (call) => {
  try {
    return { none: await call() };
  } catch (error) {
    return { status: error.status, message: error.message, details: error.details ?? error.body };
  }
};

const pair = await auth.authToken.create({ email: "member4@example.com" });
say("login", pair);
say("again", await auth.authToken.create({ community_member_id: 4 }));
say("refresh", await auth.accessToken.refresh({ refresh_token: pair.refresh_token }));
say("unknown", await refusal(() => auth.authToken.create({ email: "who@example.com" })));
say("nonsense", await refusal(() => auth.accessToken.revoke({ access_token: "nonsense" })));
await auth.refreshToken.revoke({ refresh_token: pair.refresh_token });
say("revoked", await refusal(() => auth.accessToken.refresh({ refresh_token: pair.refresh_token })));
