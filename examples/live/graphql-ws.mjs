// graphql-ws: its own retries would repeat the old variables, so they are off and the loop passes the new cursor.
import { createClient } from "graphql-ws";
import WebSocket from "ws"; // a browser has its own
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
