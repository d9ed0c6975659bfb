import type {
  BroadcastMessageInput,
  BroadcastPreviewInput,
  CreateBroadcastInput,
  MessageKind,
  MiniProgramPageInput,
  RepeatInput,
  TagExpressionInput,
  TemplateFieldInput,
  UpdateBroadcastInput,
} from "../../../api/generated/graphql";
import { toInput } from "../../expressions/conversion";
import { treeOfQuery } from "../../expressions/queryString";
import type { Draft, DraftField } from "./draft";
import { localTime } from "./fromBroadcast";
import { hasTemplate, isMass, isSubscription } from "./kinds";

/** Returns the message of a form as the API takes it; null until a kind is chosen. */
export function messageOf(draft: Draft): BroadcastMessageInput | null {
  return draft.kind && WRITERS[draft.kind](draft);
}

const WRITERS: Record<MessageKind, (draft: Draft) => BroadcastMessageInput> = {
  MASS_TEXT: ({ text }) => ({ massText: { text } }),
  MASS_IMAGE: ({ images, recommend }) => ({
    massImage: { mediaIds: linesOf(images), recommend: textOrNull(recommend) },
  }),
  MASS_ARTICLE: ({ article, ignoreReprint }) => ({ massArticle: { mediaId: article.trim(), ignoreReprint } }),
  CUSTOMER_SERVICE_TEXT: ({ text }) => ({ customerServiceText: { text } }),
  TEMPLATE: (draft) => ({
    template: {
      templateId: draft.templateId.trim(),
      data: fieldsOf(draft),
      url: addressOf(draft),
      miniProgram: miniProgramOf(draft),
    },
  }),
  SERVICE_SUBSCRIPTION: (draft) => ({
    serviceSubscription: {
      templateId: draft.templateId.trim(),
      data: fieldsOf(draft),
      page: addressOf(draft),
      miniProgram: miniProgramOf(draft),
    },
  }),
  MINI_PROGRAM_SUBSCRIPTION: (draft) => ({
    miniProgramSubscription: {
      templateId: draft.templateId.trim(),
      data: fieldsOf(draft),
      page: draft.opens === "MINI_PROGRAM" ? textOrNull(draft.page) : null,
    },
  }),
};

/** Returns the audience of a form as the API takes it; null while it is unfinished. */
export function audienceOf(draft: Draft): TagExpressionInput | null {
  return toInput(treeOfQuery(draft.audience));
}

/** Returns what to preview of a form; null until it has an audience, a kind, and the template where one is needed. */
export function previewOf(draft: Draft, channel: string): BroadcastPreviewInput | null {
  const { kind } = draft;
  const audience = audienceOf(draft);
  if (!audience || !kind) return null;
  const templateId = hasTemplate(kind) ? textOrNull(draft.templateId) : null;
  if (isSubscription(kind) && templateId === null) return null;
  return {
    channelId: channel,
    audience,
    kind,
    templateId,
    startAt: startOf(draft),
    holdOutPercent: percentOf(draft),
    onceOnly: textOrNull(draft.onceOnly),
    ignoreCaps: draft.ignoreCaps,
    temporaryTag: draft.temporaryTag && isMass(kind),
  };
}

/** Returns the broadcast of a form; null until it has an audience and a kind. */
export function createOf(draft: Draft, channel: string): CreateBroadcastInput | null {
  const message = messageOf(draft);
  const audience = audienceOf(draft);
  if (!audience || !draft.kind || !message) return null;
  return {
    channelId: channel,
    audience,
    message,
    name: textOrNull(draft.name),
    startAt: startOf(draft),
    idempotencyKey: draft.key,
    holdOutPercent: percentOf(draft),
    onceOnly: textOrNull(draft.onceOnly),
    confirmDuplicate: draft.confirmDuplicate,
    ignoreCaps: draft.ignoreCaps,
    ignoreQuietHours: draft.ignoreQuietHours,
    temporaryTag: draft.temporaryTag && isMass(draft.kind),
    repeat: repeatOf(draft),
  };
}

/**
 * Returns the changes of a form to a broadcast that has not started; what was not changed is left out. Null while the
 * audience is unfinished.
 */
export function updateOf(draft: Draft, before: Draft, id: string): UpdateBroadcastInput | null {
  const message = messageOf(draft);
  const audience = audienceOf(draft);
  if (!audience || !message) return null;
  const repeat = repeatOf(draft);
  const startAt = startOf(draft) ?? new Date().toISOString();
  return {
    id,
    ...(differ(draft.name.trim(), before.name.trim()) && { name: draft.name.trim() }),
    ...(differ(audience, audienceOf(before)) && { audience }),
    ...(differ(message, messageOf(before)) && { message }),
    ...(differ(startAt, startOf(before)) && { startAt }),
    ...(differ(percentOf(draft), percentOf(before)) && { holdOutPercent: percentOf(draft) }),
    ...(repeat && differ(repeat, repeatOf(before)) && { repeat }),
  };
}

/** Returns when sending begins as an instant of UTC; null for at once. */
export function startOf(draft: Draft): string | null {
  return draft.startsLater ? instantOf(draft.startAt) : null;
}

/** Returns what a form says of a start (RFC 3339) that a link names; nothing of none, and of one that is past by `now`. */
export function startFrom(start: string | null, now: number): Pick<Draft, "startsLater" | "startAt"> | null {
  const at = start === null ? Number.NaN : Date.parse(start);
  return at > now ? { startsLater: true, startAt: localTime(new Date(at).toISOString()) } : null;
}

/** Returns the repeat of a form; null if it is sent once. */
export function repeatOf(draft: Draft): RepeatInput | null {
  const { repeats: every } = draft;
  if (!every || draft.kind === "MASS_ARTICLE") return null;
  return {
    every,
    at: draft.repeatAt,
    weekday: every === "WEEK" ? draft.weekday : null,
    dayOfMonth: every === "MONTH" ? draft.dayOfMonth : null,
    until: instantOf(draft.repeatUntil),
  };
}

/** Returns the openids that get a test, each once. */
export function testersOf(draft: Draft): string[] {
  return [...new Set(linesOf(draft.testers))];
}

/** Returns the words of a text, parted by line ends, blanks or commas. */
export function linesOf(text: string): string[] {
  return text.split(/[\s,，]+/).filter(Boolean);
}

function percentOf({ holdOut }: Draft): number {
  return Number.parseInt(holdOut, 10) || 0;
}

function fieldsOf({ fields }: Draft): TemplateFieldInput[] {
  return fields.filter(isGiven).map(({ key, value }) => ({ key: key.trim(), value }));
}

/** Tells whether a row of the form is a field; one that was left empty is none. */
export function isGiven({ key, value }: DraftField): boolean {
  return key.trim() !== "" || value.trim() !== "";
}

function addressOf(draft: Draft): string | null {
  return draft.opens === "ADDRESS" ? textOrNull(draft.address) : null;
}

function miniProgramOf(draft: Draft): MiniProgramPageInput | null {
  if (draft.opens !== "MINI_PROGRAM") return null;
  return { appId: draft.miniProgram.trim(), page: draft.page.trim() };
}

function instantOf(local: string): string | null {
  const instant = local === "" ? Number.NaN : new Date(local).getTime();
  return Number.isNaN(instant) ? null : new Date(instant).toISOString();
}

function textOrNull(text: string): string | null {
  return text.trim() || null;
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}
