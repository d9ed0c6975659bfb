import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { PageHeader } from "../../ui/Section";

/** Stands where no page fits the address. */
export function NotFound() {
  const m = useMessages();
  return (
    <>
      <PageHeader title={m.shell.notFound.title} description={m.shell.notFound.text} />
      <div>
        <LinkButton href="/" variant="primary">
          {m.shell.notFound.action}
        </LinkButton>
      </div>
    </>
  );
}
