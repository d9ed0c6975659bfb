import { formatCount } from "../../../i18n/format";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Stack } from "../../../ui/Layout";
import { type Messages, useMessages } from "../messages";
import { peopleWord } from "../parts/words";
import { type Report, retryableOf } from "./parts";
import type { Act } from "./useActs";

export type Asked = Extract<Act, "cancel" | "retryFailed" | "retryUncertain">;

interface ActDialogProps {
  act: Asked;
  report: Report;
  busy: boolean;
  onClose: () => void;
  onDo: () => void;
}

/** Asks before what cannot be taken back, and says who is concerned. */
export function ActDialog({ act, report, busy, onClose, onDo }: ActDialogProps) {
  const m = useMessages();
  const { title, texts, verb } = wordsOf(m, act, report);
  return (
    <Dialog
      open
      title={title}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={onDo}
      footer={
        <>
          <Button onClick={onClose}>{act === "cancel" ? m.broadcasts.report.keep : m.common.cancel}</Button>
          <Button type="submit" variant={act === "retryFailed" ? "primary" : "danger"} busy={busy}>
            {verb}
          </Button>
        </>
      }
    >
      <Stack gap={2}>
        {texts.map((text) => (
          <p key={text}>{text}</p>
        ))}
      </Stack>
    </Dialog>
  );
}

function wordsOf(m: Messages, act: Asked, report: Report): { title: string; texts: string[]; verb: string } {
  const words = m.broadcasts.report;
  if (act === "cancel") {
    const under = words.cancelUnder(formatCount(report.sent), formatCount(report.planned));
    const texts = [report.sent + report.uncertain + report.failed > 0 ? under : words.cancelBefore];
    if (report.repeat || report.repeatOf) texts.push(words.cancelSeries);
    return { title: words.cancelTitle, texts, verb: words.cancelDo };
  }
  const people = peopleWord(m, act === "retryFailed" ? retryableOf(report) : report.uncertain);
  const verb = words.sendAgain(people);
  return act === "retryFailed"
    ? { title: words.retryFailedTitle, texts: [words.retryFailedText(people)], verb }
    : { title: words.retryUncertainTitle, texts: [words.retryUncertainText(people)], verb };
}
