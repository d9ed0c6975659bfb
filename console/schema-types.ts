import { readFileSync } from "node:fs";
import { buildSchema, type GraphQLSchema, isInterfaceType, isObjectType, isUnionType } from "graphql";
import type { Plugin } from "vite";

const NAME = "virtual:schema-types";
const FILE = "../schema.graphql";

/**
 * Gives graphcache, as the module `virtual:schema-types`, what it needs to tell which fragments fit an object: the names of
 * types. With their fields it would be told more, be four times as large, and show objects that are half known.
 */
export function schemaTypes(): Plugin {
  return {
    name: "schema-types",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load(id) {
      if (id !== `\0${NAME}`) return null;
      this.addWatchFile(FILE);
      return `export const schema = ${JSON.stringify({ __schema: typesOf(buildSchema(readFileSync(FILE, "utf8"))) })}`;
    },
  };
}

function typesOf(schema: GraphQLSchema) {
  const named = (name: string, kind = "OBJECT") => ({ kind, name });
  const types = Object.values(schema.getTypeMap()).flatMap((type): object[] => {
    if (type.name.startsWith("__")) return [];
    if (isObjectType(type)) {
      const interfaces = type.getInterfaces().map((each) => named(each.name, "INTERFACE"));
      return [{ ...named(type.name), fields: [], interfaces }];
    }
    if (!isInterfaceType(type) && !isUnionType(type)) return [];
    const possibleTypes = schema.getPossibleTypes(type).map((possible) => named(possible.name));
    return [
      isUnionType(type)
        ? { ...named(type.name, "UNION"), possibleTypes }
        : { ...named(type.name, "INTERFACE"), fields: [], interfaces: [], possibleTypes },
    ];
  });
  return {
    queryType: { name: "Query" },
    mutationType: { name: "Mutation" },
    subscriptionType: { name: "Subscription" },
    types,
  };
}
