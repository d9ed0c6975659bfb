import type {
  BroadcastToEditQuery,
  ContentOfBroadcastFragment,
  TagExpressionInput,
} from "../../../api/generated/graphql";
import { type Draft, newDraft, type Opens } from "./draft";
import { isSubscription } from "./kinds";

type Broadcast = NonNullable<BroadcastToEditQuery["broadcast"]>;
type Node = Broadcast["audience"]["flat"][number];

/** Returns the form of a broadcast that there is, to change it or to make another like it. */
export function draftOf(broadcast: Broadcast): Draft {
  const { repeat } = broadcast;
  return {
    ...newDraft(),
    name: broadcast.name ?? "",
    audience: expressionOf(broadcast.audience.flat),
    ...contentOf(broadcast.content),
    startsLater: true,
    startAt: localTime(broadcast.startAt),
    ...(repeat && {
      repeats: repeat.every,
      repeatAt: repeat.at,
      weekday: repeat.weekday ?? 1,
      dayOfMonth: repeat.dayOfMonth ?? 1,
      repeatUntil: repeat.until ? localTime(repeat.until) : "",
    }),
    holdOut: String(broadcast.holdOutPercent),
  };
}

/** Returns the form of another broadcast with the same message and people: named anew, and to be sent at once. */
export function copyOf(broadcast: Broadcast): Draft {
  return { ...draftOf(broadcast), name: "", startsLater: false, startAt: "", repeats: null };
}

function contentOf(content: ContentOfBroadcastFragment): Partial<Draft> {
  const { kind, mediaIds, data } = content;
  const isText = kind === "MASS_TEXT" || kind === "CUSTOMER_SERVICE_TEXT";
  return {
    kind,
    ...(isText && { text: content.text ?? "" }),
    ...(kind === "MASS_IMAGE" && { images: mediaIds.join("\n"), recommend: content.text ?? "" }),
    ...(kind === "MASS_ARTICLE" && { article: mediaIds[0] ?? "" }),
    templateId: content.templateId ?? "",
    ...(data.length > 0 && { fields: data.map(({ key, value }) => ({ key, value })) }),
    ...openedBy(content),
  };
}

function openedBy(
  content: ContentOfBroadcastFragment,
): Pick<Draft, "opens" | "address" | "miniProgram" | "page"> {
  const { kind, url, page, miniProgramAppId } = content;
  const pageIsAddress = kind === "SERVICE_SUBSCRIPTION" && !miniProgramAppId;
  const address = url ?? (pageIsAddress ? page : null);
  const opensPage = page !== null && !pageIsAddress && (Boolean(miniProgramAppId) || isSubscription(kind));
  const opens: Opens = address ? "ADDRESS" : opensPage ? "MINI_PROGRAM" : "NOTHING";
  return {
    opens,
    address: address ?? "",
    miniProgram: miniProgramAppId ?? "",
    page: opensPage ? (page ?? "") : "",
  };
}

/**
 * Returns an expression of the API as its input; null if a part of it is no longer there, such as a broadcast whose people
 * are kept no longer.
 */
export function expressionOf(nodes: readonly Node[]): TagExpressionInput | null {
  const root = nodes.find(({ parent }) => parent === null);
  return root ? inputOf(root, nodes) : null;
}

function inputOf(node: Node, nodes: readonly Node[]): TagExpressionInput | null {
  const operands: TagExpressionInput[] = [];
  for (const child of nodes.filter(({ parent }) => parent === node.index)) {
    const operand = inputOf(child, nodes);
    if (!operand) return null;
    operands.push(operand);
  }
  switch (node.operator) {
    case "TAG":
      return node.tag ? { tag: node.tag.id } : null;
    case "FOLLOWERS":
      return { followers: true };
    case "RECEIVED":
      return node.broadcast ? { received: node.broadcast.id } : null;
    case "ALL":
      return { all: operands };
    case "ANY":
      return { any: operands };
    case "EXCEPT": {
      const [from, remove] = operands;
      return from && remove ? { except: { from, remove } } : null;
    }
  }
}

/** Returns an instant as a time of the reader's clock, as an input of the browser takes it: 2026-12-01T10:00. */
export function localTime(instant: string): string {
  const at = new Date(instant);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
