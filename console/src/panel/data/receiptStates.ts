import type { ReceiptRowFragment } from "../../api/generated/graphql";

export type ReceiptState = "undone" | "ended" | "inForce";

/** Returns what has become of a list since, as far as its receipt tells. */
export function stateOf(
  receipt: Pick<ReceiptRowFragment, "undoneAt" | "expiresAt">,
  now: number,
): ReceiptState {
  if (receipt.undoneAt !== null) return "undone";
  return receipt.expiresAt !== null && Date.parse(receipt.expiresAt) <= now ? "ended" : "inForce";
}

/** Returns why a list cannot be undone; null where it can, as far as its receipt tells. */
export function undoObstacle(
  receipt: Pick<ReceiptRowFragment, "mode" | "undoneAt" | "expiresAt">,
  maySubmit: boolean,
  now: number,
): "role" | "mode" | "undone" | "ended" | null {
  if (!maySubmit) return "role";
  if (receipt.mode !== "ADD") return "mode";
  const state = stateOf(receipt, now);
  return state === "inForce" ? null : state;
}
