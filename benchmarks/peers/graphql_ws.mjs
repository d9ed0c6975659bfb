// Serve open pages with the reference server of graphql-transport-ws (npm graphql-ws), from memory: no database, no
// permissions. Prints its port. Each line on stdin is an event for every open page; it serves until stdin ends.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const need = createRequire(process.env.MODULES);
const { buildSchema } = need("graphql");
const { WebSocketServer } = need("ws");
const { useServer } = need("graphql-ws/use/ws");

const schema = buildSchema(`
  type Query { nothing: String }
  type Subscription { userTags(channelId: ID!, openid: String!): UserTagsEvent }
  type UserTagsEvent { cursor: String! reset: Boolean! cause: String at: String! tags: [Tag!]! added: [Tag!]!
    removed: [Tag!]! updated: [Tag!]! }
  type Tag { id: ID! category: String! name: String! }
`);
const event = JSON.parse(process.env.EVENT);
const pages = new Set();

function page() {
  const waiting = [event];
  let arrived = null;
  const self = {
    put(each) {
      waiting.push(each);
      if (arrived) arrived();
    },
    async next() {
      while (waiting.length === 0) await new Promise((resolve) => (arrived = resolve));
      return { done: false, value: { userTags: waiting.shift() } };
    },
    async return() {
      pages.delete(self);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return self;
    },
  };
  pages.add(self);
  return self;
}

const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/graphql", perMessageDeflate: false });
useServer({ schema, roots: { subscription: { userTags: page } } }, server);
server.on("listening", () => console.log(server.address().port));
createInterface({ input: process.stdin })
  .on("line", () => pages.forEach((each) => each.put(event)))
  .on("close", () => process.exit(0));
