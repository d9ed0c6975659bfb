import { describe, expect, it } from "vitest";
import type { MessageKind } from "../../../api/generated/graphql";
import { type Draft, newDraft } from "./draft";
import { createOf, linesOf, messageOf, previewOf, startFrom, startOf, testersOf, updateOf } from "./inputs";

const CHANNEL = "channel-1";
const filled: Draft = {
  ...newDraft(),
  key: "key-1",
  name: " New teas ",
  audience: "except(followers,received(b1))",
  kind: "CUSTOMER_SERVICE_TEXT",
  text: "Hello, {{tag:Follow time|guest}}.",
  images: "img1, img2\nimg3",
  recommend: "Look",
  article: " draft1 ",
  templateId: " t1 ",
  fields: [
    { key: " thing1 ", value: "Spring tea" },
    { key: "", value: " " },
    { key: "time2", value: "15:01" },
  ],
  opens: "ADDRESS",
  address: "https://tea.example/spring",
  miniProgram: "wx1",
  page: "pages/index",
};
const data = [
  { key: "thing1", value: "Spring tea" },
  { key: "time2", value: "15:01" },
];

describe("messageOf", () => {
  const expected: Record<MessageKind, unknown> = {
    MASS_TEXT: { massText: { text: filled.text } },
    MASS_IMAGE: { massImage: { mediaIds: ["img1", "img2", "img3"], recommend: "Look" } },
    MASS_ARTICLE: { massArticle: { mediaId: "draft1", ignoreReprint: false } },
    CUSTOMER_SERVICE_TEXT: { customerServiceText: { text: filled.text } },
    TEMPLATE: { template: { templateId: "t1", data, url: filled.address, miniProgram: null } },
    SERVICE_SUBSCRIPTION: {
      serviceSubscription: { templateId: "t1", data, page: filled.address, miniProgram: null },
    },
    MINI_PROGRAM_SUBSCRIPTION: { miniProgramSubscription: { templateId: "t1", data, page: null } },
  };
  it.each(Object.entries(expected))(
    "writes a message of the kind %s, and nothing of others",
    (kind, message) => {
      expect(messageOf({ ...filled, kind: kind as MessageKind })).toEqual(message);
    },
  );

  it("opens a page of a Mini Program, of another where the sender is a service account", () => {
    const opens = { ...filled, opens: "MINI_PROGRAM" } as const;
    expect(messageOf({ ...opens, kind: "TEMPLATE" })?.template).toMatchObject({
      url: null,
      miniProgram: { appId: "wx1", page: "pages/index" },
    });
    expect(messageOf({ ...opens, kind: "MINI_PROGRAM_SUBSCRIPTION" })?.miniProgramSubscription).toMatchObject(
      {
        page: "pages/index",
      },
    );
  });

  it("is nothing before a kind is chosen", () => {
    expect(messageOf(newDraft())).toBeNull();
  });
});

describe("createOf", () => {
  it("has everything that was typed, tidied, and the key of the form", () => {
    const later = {
      startsLater: true,
      startAt: "2026-12-01T10:00",
      holdOut: "5",
      onceOnly: " teas ",
    } as const;
    const repeat = { repeats: "WEEK", weekday: 3, repeatAt: "09:30" } as const;
    expect(createOf({ ...filled, ...later, ...repeat }, CHANNEL)).toEqual({
      channelId: CHANNEL,
      audience: { except: { from: { followers: true }, remove: { received: "b1" } } },
      message: { customerServiceText: { text: filled.text } },
      name: "New teas",
      startAt: new Date("2026-12-01T10:00").toISOString(),
      idempotencyKey: "key-1",
      holdOutPercent: 5,
      onceOnly: "teas",
      confirmDuplicate: false,
      ignoreCaps: false,
      ignoreQuietHours: false,
      temporaryTag: false,
      repeat: { every: "WEEK", at: "09:30", weekday: 3, dayOfMonth: null, until: null },
    });
  });

  it.each(["", "all()", "except(followers,_)"])("is nothing while the audience is %j", (audience) => {
    expect(createOf({ ...filled, audience }, CHANNEL)).toBeNull();
  });

  it("never repeats an article, nor uses a temporary tag for what is no mass message", () => {
    const repeated = { ...filled, repeats: "DAY", temporaryTag: true } as const;
    expect(createOf({ ...repeated, kind: "MASS_ARTICLE" }, CHANNEL)).toMatchObject({
      repeat: null,
      temporaryTag: true,
    });
    expect(createOf({ ...repeated, kind: "TEMPLATE" }, CHANNEL)).toMatchObject({ temporaryTag: false });
  });

  it("sends at once what has a time that is not chosen", () => {
    expect(
      createOf({ ...filled, startsLater: false, startAt: "2026-12-01T10:00" }, CHANNEL)?.startAt,
    ).toBeNull();
  });
});

describe("previewOf", () => {
  it("needs a template for subscription messages only, which people allow by template", () => {
    expect(previewOf({ ...filled, kind: "SERVICE_SUBSCRIPTION", templateId: " " }, CHANNEL)).toBeNull();
    expect(previewOf({ ...filled, kind: "TEMPLATE", templateId: " " }, CHANNEL)?.templateId).toBeNull();
    expect(previewOf(filled, CHANNEL)?.templateId).toBeNull();
  });

  it("does not change with what is typed into the message", () => {
    expect(previewOf({ ...filled, text: "Other" }, CHANNEL)).toEqual(previewOf(filled, CHANNEL));
  });
});

describe("updateOf", () => {
  const before: Draft = { ...filled, startsLater: true, startAt: "2026-12-01T10:00" };

  it("names only what was changed", () => {
    expect(updateOf(before, before, "b2")).toEqual({ id: "b2" });
    expect(updateOf({ ...before, name: "Teas", holdOut: "10" }, before, "b2")).toEqual({
      id: "b2",
      name: "Teas",
      holdOutPercent: 10,
    });
    expect(updateOf({ ...before, audience: "followers" }, before, "b2")).toEqual({
      id: "b2",
      audience: { followers: true },
    });
  });

  it("starts now what was to start later", () => {
    const startAt = updateOf({ ...before, startsLater: false }, before, "b2")?.startAt;
    expect(Math.abs(Date.parse(startAt ?? "") - Date.now())).toBeLessThan(5_000);
  });
});

it("reads ids that are parted by lines, blanks or commas of either script", () => {
  expect(linesOf(" a, b，c\n\n d ")).toEqual(["a", "b", "c", "d"]);
  expect(testersOf({ ...filled, testers: "oAda\noBob oAda" })).toEqual(["oAda", "oBob"]);
});

describe("startFrom", () => {
  const NOW = Date.parse("2026-11-30T14:00:00Z");

  it("takes an instant that is still to come, in the reader's zone", () => {
    const start = startFrom("2026-12-01T09:00:00Z", NOW);
    expect(start?.startsLater).toBe(true);
    expect(startOf({ ...newDraft(), ...start })).toBe("2026-12-01T09:00:00.000Z");
  });

  it.each([null, "soon", "2026-11-30T13:59:59Z"])("takes nothing of %s", (start) => {
    expect(startFrom(start, NOW)).toBeNull();
  });
});
