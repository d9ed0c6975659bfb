// Apollo Client with its link for persisted queries, asking QUERY by the hash of its text.
// Prints what was sent, whether by text, and what was answered.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const need = createRequire(process.env.MODULES);
const { ApolloClient, HttpLink, InMemoryCache, gql } = need("@apollo/client/core");
const { PersistedQueryLink } = need("@apollo/client/link/persisted-queries");

const sent = [];
const http = new HttpLink({
  uri: `${process.env.URL}/graphql`,
  headers: { Authorization: `Bearer ${process.env.TOKEN}` },
  fetch: (url, options) => {
    sent.push(options.method === "POST" && "query" in JSON.parse(options.body) ? "text" : "hash");
    return fetch(url, options);
  },
});
const persisted = new PersistedQueryLink({
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  useGETForHashedQueries: process.env.BY_GET === "yes",
});
const client = new ApolloClient({
  link: persisted.concat(http),
  cache: new InMemoryCache(),
  defaultOptions: { query: { fetchPolicy: "no-cache" } },
});
const answers = [];
for (const query of [process.env.QUERY, process.env.QUERY]) {
  try {
    answers.push((await client.query({ query: gql(query) })).data.viewer.robotId);
  } catch (error) {
    answers.push(error.message);
  }
}
console.log(JSON.stringify({ sent, answers }));
