import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { PlusIcon } from "../../ui/icons";
import { Menu } from "../../ui/Menu";
import { paths } from "./paths";

/** Offers the kinds of tags that can be made; `reason` says why combos and ads cannot, if they cannot. */
export function NewTagMenu({ channel, reason }: { channel: string; reason: string | null }) {
  const m = useMessages();
  const dataReason = can("SUBMIT_DATA") ? (can("MANAGE_TAGS") ? reason : null) : reason;
  return (
    <Menu
      label={m.tags.newTag}
      button={
        <>
          <PlusIcon size={14} />
          {m.tags.newTag}
        </>
      }
      items={[
        { key: "combo", label: m.tags.newCombo, reason, href: paths.newTag(channel, "combo") },
        { key: "ad", label: m.tags.newAd, reason, href: paths.newTag(channel, "ad") },
        { key: "return", label: m.tags.newReturn, reason: dataReason, href: paths.newTag(channel, "return") },
      ]}
    />
  );
}
