import { LinkButton } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { useMessages } from "../messages";
import { paths } from "./paths";

/** Says that a broadcast is not there, and leads to those that are. */
export function MissingBroadcast({ channel }: { channel: string }) {
  const m = useMessages();
  const { title, text, back } = m.broadcasts.missing;
  return (
    <EmptyState title={title} action={<LinkButton href={paths.list(channel)}>{back}</LinkButton>}>
      {text}
    </EmptyState>
  );
}
