import type { CodegenConfig } from "@graphql-codegen/cli";
import type { Types } from "@graphql-codegen/plugin-helpers";
import { Kind, type SelectionSetNode, visit } from "graphql";

const TYPENAME = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: "__typename" } } as const;

/** Selects `__typename` as graphcache would, so that it is part of the trusted text; never beside a root field. */
function withTypenames({ documents }: { documents: Types.DocumentFile[] }): Types.DocumentFile[] {
  const enter = (node: SelectionSetNode, _: unknown, parent: unknown): SelectionSetNode | undefined => {
    const isRoot = (parent as { kind?: Kind } | undefined)?.kind === Kind.OPERATION_DEFINITION;
    return isRoot ? undefined : { ...node, selections: [TYPENAME, ...node.selections] };
  };
  return documents.map((file) =>
    file.document ? { ...file, document: visit(file.document, { SelectionSet: enter }) } : file,
  );
}

/** Types of every operation, and the list of texts that the service trusts (docs/frontend.md, "Trusted documents"). */
const config: CodegenConfig = {
  schema: "../schema.graphql",
  documents: "src/**/*.graphql",
  generates: {
    "src/api/generated/": {
      preset: "client",
      documentTransforms: [{ transform: withTypenames }],
      presetConfig: { fragmentMasking: false, persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        documentMode: "string",
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        scalars: { DateTime: "string", ID: "string" },
        immutableTypes: true,
      },
    },
  },
};

export default config;
