import { MessagePreview } from "../parts/MessagePreview";
import type { Draft } from "./draft";
import { linesOf } from "./inputs";
import { hasTemplate } from "./kinds";

/** Shows the message of a form about as people get it. */
export function DraftPreview({ draft }: { draft: Draft }) {
  const { kind, opens } = draft;
  const isText = kind === "MASS_TEXT" || kind === "CUSTOMER_SERVICE_TEXT";
  const templated = kind !== null && hasTemplate(kind);
  const opened = opens === "ADDRESS" ? draft.address : opens === "MINI_PROGRAM" ? draft.page : "";
  return (
    <MessagePreview
      message={{
        kind,
        text: isText ? draft.text : kind === "MASS_IMAGE" ? draft.recommend : "",
        mediaIds:
          kind === "MASS_IMAGE"
            ? linesOf(draft.images)
            : kind === "MASS_ARTICLE"
              ? linesOf(draft.article)
              : [],
        fields: templated ? draft.fields : [],
        opens: templated ? opened : "",
      }}
    />
  );
}
