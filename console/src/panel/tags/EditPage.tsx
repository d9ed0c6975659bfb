import { Redirect } from "wouter-preact";
import { EditedTagDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { lazy } from "../../app/lazy";
import { MissingTag } from "./MissingTag";
import { paths } from "./paths";

const AdTagEditor = lazy(() => import("../ads/AdTagEditor"));
const ComboEditor = lazy(() => import("../combos/ComboEditor"));

/** Shows the editor for the kind of the tag. */
export default function EditPage({ params }: { params: Record<string, string> }) {
  const { channel = "", tag: id = "" } = params;
  const asked = useQuery(EditedTagDocument, { tag: id });
  return (
    <Answer asked={asked}>
      {({ tag }) => {
        if (tag?.kind === "AD") return <AdTagEditor channel={channel} tag={id} />;
        if (tag?.kind === "COMBO") return <ComboEditor key={id} channel={channel} tag={id} />;
        // Its page has what there is to change of any other.
        if (tag) return <Redirect to={paths.tag(channel, id)} replace />;
        return <MissingTag channel={channel} />;
      }}
    </Answer>
  );
}
