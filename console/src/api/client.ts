import { Client, fetchExchange, subscriptionExchange, type TypedDocumentNode } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { persistedExchange } from "@urql/exchange-persisted";
import { cache } from "./cache";
import { hashOf } from "./documents";
import { newestWins } from "./newest";
import { acceptLanguage, openSocket, resumable } from "./socket";
import { expire, expired, token, usableToken } from "./token";

/**
 * Makes the client through which a page asks and follows. It sends no text of an operation, only the id of one that the
 * service trusts. A refused token makes it wait for a new one, and then ask again.
 */
export function makeClient(): { client: Client; close: () => void } {
  const socket = openSocket();
  const client = new Client({
    url: "/graphql",
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    exchanges: [
      cache(),
      newestWins(),
      persistedExchange({
        enforcePersistedQueries: true,
        enableForMutation: true,
        enableForSubscriptions: true,
        preferGetForPersistedQueries: false,
        generateHash: (_text, document) => Promise.resolve(hashOf(document as TypedDocumentNode)),
      }),
      authExchange(async (utils) => ({
        addAuthToOperation: (operation) =>
          utils.appendHeaders(operation, {
            Authorization: `Bearer ${token.peek() ?? ""}`,
            "Accept-Language": acceptLanguage(),
          }),
        willAuthError: () => token.peek() === null || expired.peek(),
        didAuthError: (error) => error.response?.status === 401,
        refreshAuth: async () => {
          if (!expired.peek()) expire(token.peek());
          await usableToken();
        },
      })),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => {
          const { payload, seen } = resumable({
            query: "",
            operationName: request.operationName,
            variables: request.variables ?? {},
            extensions: request.extensions ?? {},
          });
          return {
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(payload, {
                next: (result) => {
                  seen(result.data);
                  sink.next(result as Parameters<typeof sink.next>[0]);
                },
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              }),
            }),
          };
        },
      }),
    ],
  });
  // A connection that was refused in the meantime has nothing to close.
  return { client, close: () => void Promise.resolve(socket.dispose()).catch(() => {}) };
}
