import { useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import type { ReturnMode } from "../../api/generated/graphql";
import { EMPTY_LIST, type ListDraft, type Origin } from "./listDraft";
import type { ReturnTagOfList } from "./NewReturnPage";

/** Keeps what is filled in, and in the address what the list does and where it comes from. */
export function useListChoice(tag: ReturnTagOfList | null) {
  const [query, setQuery] = useSearchParams();
  const [draft, setDraft] = useState<ListDraft>(() =>
    tag ? { ...EMPTY_LIST, category: tag.returnCategory, label: tag.returnLabel } : EMPTY_LIST,
  );
  const wanted = query.get("mode");
  const origin: Origin = query.get("from") === "file" ? "file" : "paste";
  // A new tag has nobody to lose.
  const isMode = tag !== null && (wanted === "REMOVE" || (wanted === "REPLACE" && origin === "paste"));
  const mode: ReturnMode = isMode ? wanted : "ADD";
  const set = (name: string, value: string, normal: string) =>
    setQuery(
      (now) => {
        const next = new URLSearchParams(now);
        if (value === normal) next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  return {
    draft,
    setDraft,
    mode,
    origin,
    setMode: (to: ReturnMode) => set("mode", to, "ADD"),
    setOrigin: (to: Origin) => set("from", to, "paste"),
  };
}
