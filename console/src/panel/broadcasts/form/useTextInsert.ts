import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

/** Inserts text where the caret of a text area is, or was last, as if it was typed. */
export function useTextInsert(onInput: (text: string) => void): {
  ref: RefObject<HTMLTextAreaElement | null>;
  insert: (text: string) => void;
} {
  const ref = useRef<HTMLTextAreaElement>(null);
  const insert = (text: string) => {
    const area = ref.current;
    if (!area) return;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    onInput(area.value);
    area.focus();
  };
  return { ref, insert };
}
