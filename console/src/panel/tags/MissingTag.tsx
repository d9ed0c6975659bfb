import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { PageHeader } from "../../ui/Section";
import { paths } from "./paths";

/** Says that there is no such tag, and leads to those that there are. */
export function MissingTag({ channel }: { channel: string }) {
  const m = useMessages();
  return (
    <>
      <PageHeader title={m.tags.notFound} description={m.tags.notFoundHint} />
      <div>
        <LinkButton href={paths.tags(channel)}>{m.tags.back}</LinkButton>
      </div>
    </>
  );
}
