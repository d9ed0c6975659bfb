// Follow the tags of one user with Apollo Client over its WebSocket link. Events hold the whole set; no cache is needed.
import { ApolloClient, InMemoryCache, gql } from "@apollo/client/core";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { USER_TAGS, follow, socketUrl, token } from "./follow.mjs";

// Apollo's link uses the global WebSocket, which browsers and Node.js 22 have.
globalThis.WebSocket ??= WebSocket;

await follow(async function* (variables) {
  const socket = createClient({
    url: socketUrl,
    retryAttempts: 0,
    connectionParams: () => ({ Authorization: token() }),
  });
  const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
  const waiting = [];
  let wake = () => {};
  const push = (entry) => {
    waiting.push(entry);
    wake();
  };
  const subscription = client
    .subscribe({ query: gql(USER_TAGS), variables, fetchPolicy: "no-cache" })
    .subscribe({ next: push, error: (error) => push({ error }), complete: () => push({ done: true }) });
  try {
    for (;;) {
      while (waiting.length === 0) await new Promise((resolve) => (wake = resolve));
      const { data, error, done } = waiting.shift();
      if (error) throw error;
      if (done) return;
      yield { data };
    }
  } finally {
    subscription.unsubscribe();
  }
});
