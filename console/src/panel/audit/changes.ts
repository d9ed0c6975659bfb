/** A value of JSON. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value };

/** One thing that an act changed; undefined where it was not there. */
export interface Change {
  readonly key: string;
  readonly before: Value | undefined;
  readonly after: Value | undefined;
}

/** Returns what an entry says that changed, in its order, `before` and `after` of each thing together. */
export function changesOf(before: string | null, after: string | null): Change[] {
  const [was, is] = [read(before), read(after)];
  const keys = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...keys].map((key) => ({ key, before: was[key], after: is[key] }));
}

/** Returns all texts in some changes that stand for an object, as `isId` tells. */
export function idsIn(changes: readonly Change[], isId: (text: string) => boolean): string[] {
  const found = new Set<string>();
  const look = (value: Value | undefined): void => {
    if (typeof value === "string") {
      if (isId(value)) found.add(value);
    } else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  for (const { before, after } of changes) [before, after].forEach(look);
  return [...found];
}

function read(json: string | null): Record<string, Value> {
  return json === null ? {} : (JSON.parse(json) as Record<string, Value>);
}
