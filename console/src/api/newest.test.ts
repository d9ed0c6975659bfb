import { Client, type Exchange, makeResult, type Operation, type OperationResult } from "@urql/core";
import { expect, it } from "vitest";
import { makeSubject, merge, mergeMap, never, pipe } from "wonka";
import { cache } from "./cache";
import { treeOf } from "./documents";
import {
  AudienceExportDocument,
  FollowExportDocument,
  ReturnFormDocument,
  SubmitReturnDataDocument,
} from "./generated/graphql";
import { newestWins } from "./newest";

const RUNNING = {
  __typename: "AudienceExport",
  id: "e1",
  ...{ state: "RUNNING", progress: 0.5, done: 1, total: 2, error: null, errorCode: null },
  ...{ createdAt: "1", startedAt: "2", finishedAt: null, resumesAt: null },
  ...{ url: null, urlExpiresAt: null, rowCount: null },
};
const DONE = { ...RUNNING, state: "DONE", progress: 1, done: 2, finishedAt: "3", url: "/f", rowCount: 2 };

/** A client whose network answers what was asked only when the test says so. */
function slowNetwork() {
  const asked: Operation[] = [];
  const answers = makeSubject<OperationResult>();
  const network: Exchange = () => (operations) => {
    const noted = mergeMap((operation: Operation) => {
      if (operation.kind !== "teardown") asked.push(operation);
      return never as typeof answers.source;
    });
    return merge([pipe(operations, noted), answers.source]);
  };
  const client = new Client({
    url: "/",
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    exchanges: [cache(), newestWins(), network],
  });
  const answer = (operation: Operation | undefined, data: object) =>
    answers.next(makeResult(operation as Operation, { data }));
  return { client, asked, answer };
}

it("does not let an answer that was on its way bring back what is past", () => {
  const { client, asked, answer } = slowNetwork();
  const shown: unknown[] = [];
  const show = () =>
    client.query(treeOf(AudienceExportDocument), { job: "e1" }).subscribe(({ data }) => {
      if (data?.job?.__typename === "AudienceExport") shown.push([data.job.state, data.job.url]);
    });
  client.subscription(treeOf(FollowExportDocument), { job: "e1" }).subscribe(() => {});
  show();
  answer(asked[1], { __typename: "Query", job: RUNNING });
  expect(shown.at(-1)).toEqual(["RUNNING", null]);
  client
    .query(treeOf(AudienceExportDocument), { job: "e1" }, { requestPolicy: "network-only" })
    .subscribe(() => {});
  answer(asked[0], { __typename: "Subscription", jobProgress: DONE });
  answer(asked[2], { __typename: "Query", job: RUNNING });
  expect(shown.at(-1)).toEqual(["DONE", "/f"]);
});

it("believes an answer that was asked for after what was told", () => {
  const { client, asked, answer } = slowNetwork();
  const shown: unknown[] = [];
  client.subscription(treeOf(FollowExportDocument), { job: "e1" }).subscribe(() => {});
  answer(asked[0], { __typename: "Subscription", jobProgress: RUNNING });
  client
    .query(treeOf(AudienceExportDocument), { job: "e1" })
    .subscribe(({ data }) => shown.push(data?.job?.__typename === "AudienceExport" && data.job.state));
  answer(asked[1], { __typename: "Query", job: DONE });
  expect(shown.at(-1)).toBe("DONE");
});

it("asks for the categories again when a list may have made one", async () => {
  const { client, asked, answer } = slowNetwork();
  const channel = { __typename: "Channel", id: "c1" };
  client.query(treeOf(ReturnFormDocument), { channel: "c1" }).subscribe(() => {});
  answer(asked[0], {
    __typename: "Query",
    viewer: { __typename: "Viewer", id: "v", ready: true },
    channel: {
      ...channel,
      ...{ kind: "SERVICE_ACCOUNT", name: "Tea", bound: true, unboundAt: null, verified: true },
      ...{ adReturnConfirmed: true, appId: "wx" },
      tagCategories: [{ __typename: "TagCategory", category: "Seasons" }],
    },
    channels: [],
  });
  client.mutation(treeOf(SubmitReturnDataDocument), { input: {} as never }).subscribe(() => {});
  const tag = {
    __typename: "ReturnTag",
    id: "t1",
    kind: "RETURN",
    category: "New",
    name: "x",
    state: "ACTIVE",
  };
  const receipt = { __typename: "ReturnReceipt", id: "r1", tag: { ...tag, memberCount: 1, channel } };
  answer(asked[1], {
    __typename: "Mutation",
    submitReturnData: { __typename: "SubmitReturnDataPayload", replayed: false, receipt },
  });
  await expect.poll(() => asked.length).toBe(3);
  expect(asked[2]?.key).toBe(asked[0]?.key);
});
