import { useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";

/** Reads the next page of a list (`usePages`); nothing where there is none. */
export function MoreButton({ more, busy }: { more: (() => void) | undefined; busy: boolean }) {
  const m = useMessages();
  if (!more) return null;
  return (
    <div>
      <Button busy={busy} onClick={more}>
        {m.common.more}
      </Button>
    </div>
  );
}
