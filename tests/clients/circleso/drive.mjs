// node drive.mjs URL TOKEN: the package circleso, unmodified, behind the lines of drive_sdk.mjs.
import { createInterface } from "node:readline";
import { createAuth } from "circleso/auth";

const auth = createAuth({ token: process.argv[3], baseUrl: process.argv[2] });
const methods = {
  getMemberAPITokenFromCommunityMemberId: (id) => auth.authToken.create({ community_member_id: id }),
  getMemberAPITokenFromEmail: (email) => auth.authToken.create({ email }),
  getMemberAPITokenFromSSOId: (id) => auth.authToken.create({ sso_user_id: id }),
  getMemberAPITokenFromRefreshToken: (token) => auth.accessToken.refresh({ refresh_token: token }),
  revokeRefreshToken: (token) => auth.refreshToken.revoke({ refresh_token: token }),
  revokeMemberAPIToken: (token) => auth.accessToken.revoke({ access_token: token }),
};
for await (const line of createInterface({ input: process.stdin })) {
  const [method, argument] = JSON.parse(line);
  let answer;
  try {
    const body = (await methods[method](argument)) || null;
    answer = { status: body ? 200 : 204, headers: null, body };
  } catch (error) {
    if (error.name !== "CircleHttpError") throw error;
    answer = { status: error.status, headers: null, body: error.parsedJson ?? null };
  }
  console.log(JSON.stringify(answer));
}
