import type { TagsChannelFragment } from "../../api/generated/graphql";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { KeyIcon } from "../../ui/icons";
import type { Closed } from "./gate";
import { paths } from "./paths";

/** Says why the tags of a channel are not to be seen, and what whoever reads it can do about it. */
export function ClosedGate({ closed, channel }: { closed: Closed; channel: TagsChannelFragment }) {
  const { gate } = useMessages().tags;
  const mayMend = can("MANAGE_CHANNELS");
  return (
    <EmptyState
      title={gate.title[closed]}
      icon={<KeyIcon size={24} />}
      action={mayMend && <LinkButton href={paths.settings(channel.id)}>{gate.mend}</LinkButton>}
    >
      <p>{gate.why[closed]}</p>
      {!mayMend && <p>{gate.ask}</p>}
    </EmptyState>
  );
}
