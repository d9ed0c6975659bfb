import { useEffect, useState } from "preact/hooks";
import { Button } from "../../ui/Button";
import { Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { TextInput } from "../../ui/TextInput";
import { localSecond, readInstant, STEPS, stepBefore } from "../looking/instants";
import { useMessages } from "../looking/messages";

interface AsOfChoiceProps {
  /** The instant that is looked back to; null for now. */
  readonly value: string | null;
  readonly onChange: (instant: string | null) => void;
  /** Why nothing can be looked back to. */
  readonly reason: string | null;
}

/** Asks whether an audience is that of now or of an earlier instant. */
export function AsOfChoice({ value, onChange, reason }: AsOfChoiceProps) {
  const m = useMessages().lookingBack;
  return (
    <Section card title={m.heading} description={m.description}>
      {reason ? (
        <Reason>{reason}</Reason>
      ) : (
        <Stack gap={3}>
          <Row>
            <Button pressed={value === null} onClick={() => onChange(null)}>
              {m.now}
            </Button>
            {STEPS.map((step) => (
              <Button key={step} onClick={() => onChange(stepBefore(step, Date.now()))}>
                {m[step]}
              </Button>
            ))}
          </Row>
          <Exact value={value} onChange={onChange} />
        </Stack>
      )}
    </Section>
  );
}

function Exact({ value, onChange }: Pick<AsOfChoiceProps, "value" | "onChange">) {
  const m = useMessages().lookingBack;
  const [typed, setTyped] = useState(localSecond(value));
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    setTyped(localSecond(value));
    setError(null);
  }, [value]);
  const show = (event: Event) => {
    event.preventDefault();
    const instant = readInstant(typed);
    const isAhead = instant !== null && Date.parse(instant) > Date.now();
    setError(instant === null ? m.exactWrong : isAhead ? m.exactAhead : null);
    if (instant !== null && !isAhead) onChange(instant);
  };
  return (
    <form onSubmit={show} noValidate>
      <Row top>
        <TextInput
          type="datetime-local"
          step={1}
          label={m.exact}
          hint={m.exactHint}
          error={error}
          value={typed}
          onInput={setTyped}
        />
        <Button type="submit">{m.show}</Button>
      </Row>
    </form>
  );
}
