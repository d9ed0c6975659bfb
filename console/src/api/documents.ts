import { createRequest, type DocumentInput, type TypedDocumentNode } from "@urql/core";
import type { TypedDocumentString } from "./generated/graphql";

type Known<Data, Variables> = TypedDocumentNode<Data, Variables> & { documentId: string };

const trees = new Map<unknown, Known<unknown, unknown>>();

/** Returns the syntax tree of a generated document, always the same one. */
export function treeOf<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
): Known<Data, Variables> {
  let tree = trees.get(document);
  if (!tree) {
    const hash = String(document.__meta__?.hash).replace("sha256:", "");
    const { query } = createRequest(document.toString(), {});
    tree = Object.assign(query, { documentId: hash }) as unknown as Known<unknown, unknown>;
    trees.set(document, tree);
  }
  return tree as unknown as Known<Data, Variables>;
}

/** Returns the SHA-256 by which the service knows the text of a document. */
export function hashOf(document: DocumentInput): string {
  return (document as unknown as Known<unknown, unknown>).documentId;
}
