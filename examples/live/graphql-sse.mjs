// graphql-sse, where WebSockets are not wanted: one answer of an ordinary POST that does not end.
import { createClient } from "graphql-sse";
import { USER_TAGS, follow, token, url } from "./follow.mjs";

await follow((variables) => {
  const client = createClient({
    url: `${url}/graphql/stream`,
    retryAttempts: 0,
    headers: () => ({ Authorization: token() }),
  });
  return client.iterate({ query: USER_TAGS, variables });
});
