import { describe, expect, it } from "vitest";
import type {
  BroadcastToEditQuery,
  ContentOfBroadcastFragment,
  MessageKind,
} from "../../../api/generated/graphql";
import { copyOf, draftOf, localTime } from "./fromBroadcast";
import { audienceOf, messageOf, repeatOf, startOf } from "./inputs";

type Broadcast = NonNullable<BroadcastToEditQuery["broadcast"]>;

const EMPTY: ContentOfBroadcastFragment = {
  __typename: "BroadcastMessage",
  kind: "MASS_TEXT",
  text: null,
  mediaIds: [],
  templateId: null,
  data: [],
  url: null,
  page: null,
  miniProgramAppId: null,
};
const DATA = [{ __typename: "TemplateField" as const, key: "thing1", value: "Tea {{openid}}" }];
const data = DATA.map(({ key, value }) => ({ key, value }));

function broadcastWith(content: Partial<ContentOfBroadcastFragment>): Broadcast {
  return {
    __typename: "Broadcast",
    id: "b1",
    state: "WAITING",
    waitingFor: "START_TIME",
    matched: 0,
    uncertain: 0,
    nextRunAt: null,
    startAt: "2026-12-01T02:00:00Z",
    name: "New teas",
    holdOutPercent: 5,
    audience: {
      __typename: "TagExpression",
      flat: [
        {
          __typename: "TagExpressionNode",
          index: 0,
          parent: null,
          operator: "EXCEPT",
          tag: null,
          broadcast: null,
        },
        {
          __typename: "TagExpressionNode",
          index: 1,
          parent: 0,
          operator: "FOLLOWERS",
          tag: null,
          broadcast: null,
        },
        {
          __typename: "TagExpressionNode",
          index: 2,
          parent: 0,
          operator: "RECEIVED",
          tag: null,
          broadcast: { __typename: "Broadcast", id: "b0" },
        },
      ],
    },
    content: { ...EMPTY, ...content },
    repeat: { __typename: "Repeat", every: "WEEK", at: "10:00", weekday: 1, dayOfMonth: null, until: null },
    repeatOf: null,
  };
}

describe("draftOf", () => {
  const cases: readonly (readonly [MessageKind, Partial<ContentOfBroadcastFragment>, unknown])[] = [
    ["MASS_TEXT", { text: "Tea" }, { massText: { text: "Tea" } }],
    [
      "MASS_IMAGE",
      { text: "Look", mediaIds: ["a", "b"] },
      { massImage: { mediaIds: ["a", "b"], recommend: "Look" } },
    ],
    ["MASS_ARTICLE", { mediaIds: ["d"] }, { massArticle: { mediaId: "d", ignoreReprint: false } }],
    ["CUSTOMER_SERVICE_TEXT", { text: "Tea" }, { customerServiceText: { text: "Tea" } }],
    [
      "TEMPLATE",
      { templateId: "t", data: DATA, url: "https://tea.example" },
      { template: { templateId: "t", data, url: "https://tea.example", miniProgram: null } },
    ],
    [
      "TEMPLATE",
      { templateId: "t", data: DATA, page: "pages/a", miniProgramAppId: "wx1" },
      { template: { templateId: "t", data, url: null, miniProgram: { appId: "wx1", page: "pages/a" } } },
    ],
    [
      "SERVICE_SUBSCRIPTION",
      { templateId: "t", data: DATA, page: "https://tea.example" },
      { serviceSubscription: { templateId: "t", data, page: "https://tea.example", miniProgram: null } },
    ],
    [
      "SERVICE_SUBSCRIPTION",
      { templateId: "t", data: DATA, page: "pages/a", miniProgramAppId: "wx1" },
      {
        serviceSubscription: {
          templateId: "t",
          data,
          page: null,
          miniProgram: { appId: "wx1", page: "pages/a" },
        },
      },
    ],
    [
      "MINI_PROGRAM_SUBSCRIPTION",
      { templateId: "t", data: DATA, page: "pages/a" },
      { miniProgramSubscription: { templateId: "t", data, page: "pages/a" } },
    ],
    [
      "MINI_PROGRAM_SUBSCRIPTION",
      { templateId: "t", data: DATA },
      { miniProgramSubscription: { templateId: "t", data, page: null } },
    ],
  ];
  it.each(cases)("reads a message of the kind %s so that it is written alike", (kind, content, message) => {
    expect(messageOf(draftOf(broadcastWith({ kind, ...content })))).toEqual(message);
  });

  it("reads audience, start, repeat and hold-out", () => {
    const draft = draftOf(broadcastWith({ text: "Tea" }));
    expect(audienceOf(draft)).toEqual({ except: { from: { followers: true }, remove: { received: "b0" } } });
    expect(startOf(draft)).toBe("2026-12-01T02:00:00.000Z");
    expect(repeatOf(draft)).toEqual({
      every: "WEEK",
      at: "10:00",
      weekday: 1,
      dayOfMonth: null,
      until: null,
    });
    expect(draft).toMatchObject({ name: "New teas", holdOut: "5" });
  });
});

it("copies message and people, to be sent once and at once under a key of its own", () => {
  const broadcast = broadcastWith({ text: "Tea" });
  const copy = copyOf(broadcast);
  expect(copy).toMatchObject({ name: "", startsLater: false, repeats: null, text: "Tea" });
  expect(copy.key).not.toBe(copyOf(broadcast).key);
});

it("writes an instant by the reader's clock", () => {
  expect(new Date(localTime("2026-12-01T02:00:00Z")).toISOString()).toBe("2026-12-01T02:00:00.000Z");
});
