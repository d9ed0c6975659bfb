import type { Exchange, Operation, OperationResult } from "@urql/core";
import { map, pipe, tap } from "wonka";

type Fields = Record<string, unknown>;

/**
 * Lets what a subscription told win over answers that were asked for before: one that is still on its way then may be older,
 * and would bring back numbers and states that are past. Only what has an `id` is compared, field by field.
 */
export function newestWins(): Exchange {
  return ({ forward }) =>
    (operations) => {
      const told = new Map<string, { fields: Fields; turn: number }>();
      const asked = new Map<number, number>();
      let turn = 0;

      const noteAsked = ({ kind, key }: Operation) => {
        if (kind === "teardown") ended(key);
        else if (kind === "query" && !asked.has(key)) asked.set(key, turn);
      };
      const ended = (key: number) => {
        asked.delete(key);
        // Nothing that is asked for from now on can be older.
        if (asked.size === 0) told.clear();
      };
      const noteTold = ({ operation, data }: OperationResult) => {
        if (operation.kind !== "subscription" || asked.size === 0) return;
        turn += 1;
        for (const fields of entitiesOf(data)) {
          told.set(String(fields.id), {
            fields: { ...told.get(String(fields.id))?.fields, ...fields },
            turn,
          });
        }
      };
      const newest = (result: OperationResult): OperationResult => {
        const { kind, key } = result.operation;
        const since = asked.get(key);
        if (kind !== "query" || since === undefined) return result;
        const newer = new Map<unknown, Fields>();
        for (const [id, each] of told) if (each.turn > since) newer.set(id, each.fields);
        ended(key);
        return newer.size === 0 ? result : { ...result, data: brought(result.data, newer) };
      };
      return pipe(operations, tap(noteAsked), forward, tap(noteTold), map(newest));
    };
}

/** Returns an answer in which everything of these ids is as these fields say; lists and what is within stay. */
function brought(answer: unknown, newer: ReadonlyMap<unknown, Fields>): unknown {
  if (Array.isArray(answer)) return answer.map((each) => brought(each, newer));
  if (!isFields(answer)) return answer;
  const fields = newer.get(answer.id) ?? {};
  return Object.fromEntries(
    Object.entries(answer).map(([name, value]) =>
      name in fields && !isWithin(value) && !isWithin(fields[name])
        ? [name, fields[name]]
        : [name, brought(value, newer)],
    ),
  );
}

function* entitiesOf(data: unknown): Generator<Fields> {
  if (Array.isArray(data)) for (const each of data) yield* entitiesOf(each);
  else if (isFields(data)) {
    if (typeof data.id === "string") yield data;
    for (const value of Object.values(data)) yield* entitiesOf(value);
  }
}

function isWithin(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function isFields(value: unknown): value is Fields {
  return isWithin(value) && !Array.isArray(value);
}
