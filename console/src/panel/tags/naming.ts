/** What a tag is called and said to mean; no description is an empty text here. */
export interface Names {
  readonly name: string;
  readonly description: string;
}

/** Returns what a form begins with, of a tag. */
export function namesOfTag(tag: { readonly name: string; readonly description: string | null }): Names {
  return { name: tag.name, description: tag.description ?? "" };
}

/** Tells whether two would be the same once saved: the service trims both, and keeps no empty description. */
export function sameNames(a: Names, b: Names): boolean {
  return a.name.trim() === b.name.trim() && a.description.trim() === b.description.trim();
}

/** Returns the values of the mutation: an empty description is cleared. */
export function namesToSave({ name, description }: Names): { name: string; description: string | null } {
  return { name: name.trim(), description: description.trim() || null };
}
