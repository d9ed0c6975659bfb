import { useState } from "preact/hooks";
import { SendTestMessageDocument, type SendTestMessageMutation } from "../../../api/generated/graphql";
import { useMutation } from "../../../api/hooks";
import type { Problem } from "../../../api/problem";
import { ApiProblem } from "../../../app/ApiProblem";
import { Button } from "../../../ui/Button";
import { Stack } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import { StateBadge } from "../../../ui/StateBadge";
import { TextArea } from "../../../ui/TextArea";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import type { Draft } from "./draft";
import { messageOf, testersOf } from "./inputs";
import { isSubscription } from "./kinds";
import styles from "./TestMessage.module.css";

type Results = NonNullable<SendTestMessageMutation["sendTestMessage"]>["results"];
const MOST_TESTERS = 5;

interface TestMessageProps {
  channel: string;
  draft: Draft;
  errorAt: ErrorAt;
  change: (change: Partial<Draft>) => void;
  /** Is told what the service found wrong with the message, so that it stands beside the inputs. */
  onProblem: (problem: Problem | null) => void;
}

/** Sends the message as it is to a few people at once, and says what became of it. */
export function TestMessage({ channel, draft, errorAt, change, onProblem }: TestMessageProps) {
  const m = useMessages();
  const words = m.broadcasts.compose;
  const { run, busy, problem } = useMutation(SendTestMessageDocument);
  const [results, setResults] = useState<Results>([]);
  const openids = testersOf(draft);
  const message = messageOf(draft);
  const send = async () => {
    if (!message) return;
    const { data, problem } = await run({ channel, message, openids });
    setResults(data?.sendTestMessage?.results ?? []);
    onProblem(problem);
  };
  const tooMany = openids.length > MOST_TESTERS ? words.tooManyTesters : null;
  const reason = !message ? words.needsMessage : openids.length === 0 ? words.needsTesters : tooMany;
  const uses = draft.kind && isSubscription(draft.kind) ? ` ${words.testUsesConsent}` : "";
  return (
    <Section card title={words.test} description={words.testHint + uses}>
      <Stack gap={3}>
        <TextArea
          label={words.testers}
          rows={2}
          mono
          error={errorAt("openids") ?? tooMany}
          value={draft.testers}
          onInput={(testers) => change({ testers })}
        />
        <div>
          <Button busy={busy} reason={reason} onClick={send}>
            {words.sendTest}
          </Button>
        </div>
        <ApiProblem problem={problem} />
        <ul class={styles.results} aria-label={words.testOf} aria-live="polite">
          {results.map(({ openid, sent, errcode, reason }) => (
            <li key={openid} class={styles.result}>
              <code>{openid}</code>
              <StateBadge tone={sent ? "positive" : "negative"} line={sent ? "solid" : "dotted"}>
                {sent ? words.testSent : words.testFailed}
              </StateBadge>
              {errcode !== null && <span>{m.problems.errcode(errcode)}</span>}
              {reason && <span lang="en">{reason}</span>}
            </li>
          ))}
        </ul>
      </Stack>
    </Section>
  );
}
