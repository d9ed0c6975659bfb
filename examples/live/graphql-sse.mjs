// Follow the tags of one user with graphql-sse, without WebSockets: the response to an ordinary POST does not end.
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
