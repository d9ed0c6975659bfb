// Read which user to follow, and subscribe again after a lost connection, later each time; the four examples share this.
//
//   TOKEN=… CHANNEL=… OPENID=… [URL=http://127.0.0.1:8000] node graphql-ws.mjs

for (const name of ["TOKEN", "CHANNEL", "OPENID"]) {
  if (process.env[name]) continue;
  console.error(`${name} is not set: the beginning of follow.mjs says what is needed.`);
  process.exit(1);
}

// Milliseconds.
const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;
// What the service answers to a request that will not be better next time.
const FINAL_CODES = ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT"];
// It closes a WebSocket with 4403, and answers a request with 401, whose token is not good, or no longer.
const TOKEN_NOT_GOOD = 4403;
const UNAUTHORIZED = 401;

export const url = process.env.URL ?? "http://127.0.0.1:8000";
export const socketUrl = url.replace(/^http/, "ws") + "/graphql";
export const token = () => `Bearer ${process.env.TOKEN}`;

export const USER_TAGS = `
  subscription UserTags($channel: ID!, $openid: String!, $after: String) {
    userTags(channelId: $channel, openid: $openid, after: $after) {
      cursor
      reset
      tags { id category name }
      added { id name }
      removed { id name }
    }
  }
`;

// Show the events of `subscribe(variables)`, an async iterable of { data, errors } over one connection, for ever.
// A page needs to keep only the cursor of the last event that it showed.
export async function follow(subscribe) {
  let after = process.env.AFTER;
  let delay = FIRST_DELAY;
  for (;;) {
    try {
      const variables = { channel: process.env.CHANNEL, openid: process.env.OPENID, after };
      for await (const { data, errors } of subscribe(variables)) {
        if (errors?.length) throw errors;
        const event = data.userTags;
        after = event.cursor;
        delay = FIRST_DELAY;
        show(event);
      }
    } catch (error) {
      const errors = error?.graphQLErrors ?? error?.errors ?? [error].flat();
      console.error(`lost: ${errors[0]?.message ?? error?.message ?? error?.reason ?? error}`);
      const refused = errors.some((each) => FINAL_CODES.includes(each?.extensions?.code));
      const unauthorized = error?.response?.status === UNAUTHORIZED;
      if (refused || unauthorized || wasClosedWith(TOKEN_NOT_GOOD, error)) process.exit(1);
    }
    // Not all at the same moment: after a restart thousands of pages come back.
    await new Promise((resolve) => setTimeout(resolve, delay * (0.5 + Math.random() / 2)));
    delay = Math.min(2 * delay, LONGEST_DELAY);
  }
}

// Each client has its own way to say with which code a WebSocket was closed.
function wasClosedWith(code, error) {
  return [error?.code, error?.networkError?.code].includes(code) || `${error?.message}`.includes(`event ${code} `);
}

function show({ reset, tags, added, removed }) {
  const names = (list) => list.map((tag) => tag.name);
  console.log(JSON.stringify({ reset, tags: names(tags), added: names(added), removed: names(removed) }));
}
