import type { BroadcastQuery } from "../../../api/generated/graphql";

export type Report = NonNullable<BroadcastQuery["broadcast"]>;

/** The parts of an audience in the order in which a bar shows them: what is through first. */
export const PARTS = ["sent", "failed", "uncertain", "planned", "held", "unsendable"] as const;
export type Part = (typeof PARTS)[number];

type Counted = Pick<Report, "sent" | "failed" | "uncertain" | "planned" | "held" | "unsendable">;

/** Returns how many people are in each part; together they are all that the audience has. */
export function countsOf(report: Counted): Record<Part, number> {
  const { sent, failed, uncertain, planned, held, unsendable } = report;
  return { sent, failed, uncertain, planned, held: sumOf(held), unsendable: sumOf(unsendable) };
}

/** Returns how many of the failed may be sent to again. */
export function retryableOf({ failures }: Pick<Report, "failures">): number {
  return sumOf(failures.filter(({ retryable }) => retryable));
}

function sumOf(groups: readonly { readonly count: number }[]): number {
  return groups.reduce((sum, { count }) => sum + count, 0);
}
