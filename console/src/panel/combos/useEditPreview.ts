import { useMemo } from "preact/hooks";
import {
  ComboEditPreviewDocument,
  type ComboEditPreviewQuery,
  type TagExpressionInput,
} from "../../api/generated/graphql";
import { type Asked, useQuery } from "../../api/hooks";
import { can } from "../../app/viewer";
import { useSettled } from "../expressions/useSettled";

const PAUSE = 250;

/** Asks what another expression would do to a combo, once it has stayed the same for a moment; nothing for null. */
export function useEditPreview(
  tag: string,
  expression: TagExpressionInput | null,
): Asked<ComboEditPreviewQuery> {
  const text = useSettled(JSON.stringify(expression), PAUSE);
  const variables = useMemo(
    () => ({ tag, expression: (JSON.parse(text) ?? {}) as TagExpressionInput }),
    [tag, text],
  );
  return useQuery(ComboEditPreviewDocument, variables, {
    pause: text === "null" || !can("MANAGE_TAGS"),
    policy: "network-only",
  });
}
