import { EditedTagDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { lazy } from "../../app/lazy";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";

const AdTagEditor = lazy(() => import("../ads/AdTagEditor"));
const ComboEditor = lazy(() => import("../combos/ComboEditor"));

/** Shows the editor for the kind of the tag. */
export default function EditPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const { channel = "", tag: id = "" } = params;
  const asked = useQuery(EditedTagDocument, { tag: id });
  return (
    <Answer asked={asked}>
      {({ tag }) => {
        if (tag?.kind === "AD") return <AdTagEditor channel={channel} tag={id} />;
        if (tag?.kind === "COMBO") return <ComboEditor key={id} channel={channel} tag={id} />;
        return <EmptyState title={m.tags.notFound}>{m.tags.notFoundHint}</EmptyState>;
      }}
    </Answer>
  );
}
