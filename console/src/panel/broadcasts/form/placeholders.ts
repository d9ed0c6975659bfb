export interface TextPart {
  readonly text: string;
  /** What the placeholder stands for; null for plain text, and for what is no known placeholder. */
  readonly placeholder: { readonly category: string | null; readonly fallback: string | null } | null;
}

/** Returns a text in parts, its placeholders apart, as the service reads them. */
export function partsOf(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(/\{\{(.*?)\}\}/gs)) {
    const placeholder = readPlaceholder(match[1] ?? "");
    if (!placeholder) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index), placeholder: null });
    parts.push({ text: match[0], placeholder });
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), placeholder: null });
  return parts;
}

function readPlaceholder(inner: string): TextPart["placeholder"] {
  const [name = "", ...rest] = inner.split("|");
  const fallback = rest.length > 0 ? rest.join("|") : null;
  if (name.trim() === "openid") return { category: null, fallback };
  const category = name.trim().startsWith("tag:") ? name.trim().slice(4).trim() : "";
  return category === "" ? null : { category, fallback };
}

/** Writes the placeholder for the tags of a category, with what stands there for people without one. */
export function tagPlaceholder(category: string, fallback: string): string {
  return fallback === "" ? `{{tag:${category}}}` : `{{tag:${category}|${fallback}}}`;
}

/** Returns how many bytes of UTF-8 a text has, by which WeChat measures texts. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
