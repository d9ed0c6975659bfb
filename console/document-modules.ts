import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const GENERATED = fileURLToPath(new URL("src/api/generated/graphql.ts", import.meta.url));
const PREFIX = "virtual:document/";
const IMPORT = /import \{([^}]*)\} from "[./\w]*\/generated\/graphql";/g;

/** Makes each generated operation a module of its own, so that a page loads only those that it uses. */
export function documentModules(): Plugin {
  return {
    name: "document-modules",
    enforce: "pre",
    transform(code, id) {
      if (!/\.tsx?$/.test(id) || !code.includes("/generated/graphql")) return null;
      return code.replace(IMPORT, (statement, names: string) => {
        const documents = namesIn(names).filter((name) => /^\w+Document$/.test(name));
        const others = namesIn(names).filter((name) => !documents.includes(name));
        const rest = statement.replace(names, ` ${others.join(", ")} `);
        return [rest, ...documents.map((name) => `import { ${name} } from "${PREFIX}${name}";`)].join(" ");
      });
    },
    resolveId(source) {
      return source.startsWith(PREFIX) ? `\0${source}` : null;
    },
    load(id) {
      if (!id.startsWith(`\0${PREFIX}`)) return null;
      this.addWatchFile(GENERATED);
      const name = id.slice(PREFIX.length + 1);
      const made = new RegExp(`export const ${name} = (new TypedDocumentString\\([^]*?\\)) as unknown as `);
      const expression = made.exec(readFileSync(GENERATED, "utf8"))?.[1];
      if (expression === undefined) throw new Error(`There is no operation for ${name}.`);
      // The service knows the text by its hash, which is made already; here it only has to mean the same.
      return `import { TypedDocumentString } from ${JSON.stringify(GENERATED)};
export const ${name} = /*#__PURE__*/ ${expression.replaceAll(/\s+/g, " ")};`;
    },
  };
}

function namesIn(list: string): string[] {
  return list
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
}
