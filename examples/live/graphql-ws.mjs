// Follow the tags of one user with graphql-ws. Its retries would repeat the old variables, so they are off: the loop
// in follow.mjs passes the new cursor.
import { createClient } from "graphql-ws";
import WebSocket from "ws"; // browsers have a WebSocket of their own
import { USER_TAGS, follow, socketUrl, token } from "./follow.mjs";

await follow((variables) => {
  const client = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: () => ({ Authorization: token() }),
  });
  return client.iterate({ query: USER_TAGS, variables });
});
