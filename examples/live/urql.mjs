// Follow the tags of one user with urql: queries go over HTTP, subscriptions over graphql-ws.
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { USER_TAGS, follow, socketUrl, token, url } from "./follow.mjs";

await follow(async function* (variables) {
  const socket = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: () => ({ Authorization: token() }),
  });
  const client = new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { Authorization: token() } }),
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query: request.query ?? "", variables: request.variables }, sink),
          }),
        }),
      }),
    ],
  });
  for await (const result of iterate(client.subscription(USER_TAGS, variables))) {
    if (result.error) throw result.error;
    yield { data: result.data };
  }
});

// Turn a source of urql, which pushes results, into an async iterable; a page would show each result at once.
async function* iterate(source) {
  const waiting = [];
  let wake = () => {};
  const { unsubscribe } = source.subscribe((result) => {
    waiting.push(result);
    wake();
  });
  try {
    for (;;) {
      while (waiting.length === 0) await new Promise((resolve) => (wake = resolve));
      yield waiting.shift();
    }
  } finally {
    unsubscribe();
  }
}
