/** Names of the types of schema.graphql, with what is possible for interfaces and unions (vite.config.ts). */
declare module "virtual:schema-types" {
  import type { CacheExchangeOpts } from "@urql/exchange-graphcache";
  export const schema: NonNullable<CacheExchangeOpts["schema"]>;
}
