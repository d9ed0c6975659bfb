import { useState } from "preact/hooks";
import type { TypedDocumentString } from "../../api/generated/graphql";
import { useFetch } from "../../api/hooks";
import type { Problem } from "../../api/problem";
import { download, writeRows } from "./csv";

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export interface Download {
  readonly start: () => Promise<void>;
  /** How many entries were read so far; null while nothing is being read. */
  readonly read: number | null;
  readonly problem: Problem | null;
}

/** Reads all pages of a list of a receipt, and hands them over as a CSV file that the browser makes. */
export function useDownload<Data, Node>(
  document: TypedDocumentString<Data, { receipt: string; after?: string | null | undefined }>,
  receipt: string,
  pageOf: (data: Data) => Page<Node> | null | undefined,
  file: {
    readonly name: string;
    readonly header: readonly string[];
    readonly row: (node: Node) => readonly string[];
  },
): Download {
  const ask = useFetch(document);
  const [read, setRead] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const start = async () => {
    const rows: (readonly string[])[] = [file.header];
    let refused: Problem | null = null;
    let after: string | null = null;
    do {
      setRead(rows.length - 1);
      const outcome = await ask({ receipt, after });
      refused = outcome.problem;
      const page: Page<Node> | null | undefined = outcome.data && pageOf(outcome.data);
      for (const node of page?.nodes ?? []) rows.push(file.row(node));
      after = page?.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    setRead(null);
    setProblem(refused);
    if (refused === null) download(file.name, new Blob([writeRows(rows)], { type: "text/csv" }));
  };
  return { start, read, problem };
}
