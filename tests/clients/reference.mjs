// The reference server of graphql-transport-ws (npm graphql-ws) for a schema with a query and two subscriptions.
// Prints its port, and serves until its input ends.
import { createRequire } from "node:module";

const need = createRequire(process.env.MODULES);
const { buildSchema } = need("graphql");
const { WebSocketServer } = need("ws");
const { useServer } = need("graphql-ws/use/ws");

const schema = buildSchema(`
  type Query { viewer: Viewer }
  type Viewer { robotId: String }
  type Subscription { tagEvents: TagEvent }
  type TagEvent { cursor: String }
`);
const roots = {
  query: { viewer: { robotId: "reference" } },
  subscription: {
    // Says nothing, like a tag panel where nothing happens, until it is stopped.
    tagEvents: () => ({
      next: () => new Promise(() => {}),
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    }),
  },
};
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/graphql" });
useServer({ schema, roots }, server);
server.on("listening", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
