import type { BroadcastToEditQuery, ContentOfBroadcastFragment } from "../../../api/generated/graphql";
import { fromSaved } from "../../expressions/conversion";
import { toQueryString } from "../../expressions/queryString";
import { type Draft, newDraft, type Opens } from "./draft";
import { isSubscription } from "./kinds";

type Broadcast = NonNullable<BroadcastToEditQuery["broadcast"]>;

/** Returns the form of a broadcast that there is, to change it or to make another like it. */
export function draftOf(broadcast: Broadcast): Draft {
  const { repeat } = broadcast;
  return {
    ...newDraft(),
    name: broadcast.name ?? "",
    audience: toQueryString(fromSaved(broadcast.audience.flat)),
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

/** Returns an instant as a time of the reader's clock, as an input of the browser takes it: 2026-12-01T10:00. */
export function localTime(instant: string): string {
  const at = new Date(instant);
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
