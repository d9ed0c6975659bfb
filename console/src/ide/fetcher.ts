import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";

type Headers = Readonly<Record<string, unknown>>;

/** Says that nothing can be asked yet. */
export const TOKEN_IS_MISSING =
  'Put a token under Headers, {"Authorization": "Bearer …"}, then fetch the schema again (Shift-Ctrl-R).';

/**
 * Makes what asks by POST and follows by WebSocket, both with the headers of the editor. Until that has any, since it
 * takes a moment to appear, the headers with which the page was opened stand in for them.
 */
export function makeFetcher(opening: Headers): Fetcher {
  const ask = createGraphiQLFetcher({
    url: "/graphql",
    subscriptionUrl: `${location.origin.replace("http", "ws")}/graphql`,
    enableIncrementalDelivery: false,
  });
  let standIn: Headers | undefined = opening;
  return async (parameters, options) => {
    if (options?.headers) standIn = undefined;
    const headers = options?.headers ?? standIn ?? {};
    if (parameters.operationName === "IntrospectionQuery" && !hasToken(headers))
      throw new Error(TOKEN_IS_MISSING);
    return ask(parameters, { ...options, headers });
  };
}

function hasToken(headers: Headers): boolean {
  return Object.entries(headers).some(
    ([name, value]) => name.toLowerCase() === "authorization" && /^Bearer\s+\S/i.test(String(value)),
  );
}
