import type { BroadcastFormQuery, MessageKind } from "../../../api/generated/graphql";
import { RadioGroup } from "../../../ui/RadioGroup";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import { kindsFor, needsVerification } from "./kinds";

export type FormChannel = NonNullable<BroadcastFormQuery["channel"]>;

// As the branches of BroadcastMessageInput are called, where a kind that the account cannot send is refused.
const BRANCHES: Record<MessageKind, string> = {
  MASS_TEXT: "massText",
  MASS_IMAGE: "massImage",
  MASS_ARTICLE: "massArticle",
  TEMPLATE: "template",
  CUSTOMER_SERVICE_TEXT: "customerServiceText",
  SERVICE_SUBSCRIPTION: "serviceSubscription",
  MINI_PROGRAM_SUBSCRIPTION: "miniProgramSubscription",
};

interface KindFieldProps {
  channel: FormChannel;
  kind: MessageKind | null;
  errorAt: ErrorAt;
  onChange: (kind: MessageKind) => void;
}

/** Asks for the kind of message, of those that the account can send. */
export function KindField({ channel, kind, errorAt, onChange }: KindFieldProps) {
  const m = useMessages();
  const words = m.broadcasts;
  const error = kind && (errorAt(`message.${BRANCHES[kind]}`, "itself") ?? errorAt("kind"));
  return (
    <RadioGroup
      label={words.compose.kind}
      value={kind}
      error={error}
      choices={kindsFor(channel.kind).map((value) => ({
        value,
        label: words.kinds[value],
        hint: words.kindHints[value],
        reason: needsVerification(value, channel.kind) && !channel.verified ? words.compose.kindReason : null,
      }))}
      onChange={onChange}
    />
  );
}
