import { useState } from "preact/hooks";
import { expiryOf, signIn } from "../api/token";
import { formatInstant } from "../i18n/format";
import { type Messages, useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";
import { classes } from "../ui/classes";
import { TextInput } from "../ui/TextInput";
import styles from "./TokenForm.module.css";

/** Says what is wrong with a text that should be a token, as far as the page can tell; null for nothing. */
export function faultOf(jwt: string, now: number, m: Messages): string | null {
  const expiry = expiryOf(jwt.trim());
  if (expiry === null) return m.session.malformed;
  return expiry <= now ? m.session.outdated(formatInstant(new Date(expiry).toISOString())) : null;
}

type TokenFormProps = {
  submit: string;
  /** What was wrong with the token before. */
  error?: string | null;
  hint?: string;
  /** In one line, without taking the focus. */
  inline?: boolean;
};

/** Asks for a token and signs in with it. */
export function TokenForm({ submit, error = null, hint, inline = false }: TokenFormProps) {
  const m = useMessages();
  const [pasted, setPasted] = useState("");
  const [fault, setFault] = useState(error);
  const take = (event: Event) => {
    event.preventDefault();
    const found = faultOf(pasted, Date.now(), m);
    setFault(found);
    if (found === null) signIn(pasted);
  };
  const change = (value: string) => {
    setPasted(value);
    setFault(null);
  };
  return (
    <form class={classes(styles.form, inline && styles.inline)} onSubmit={take} noValidate>
      <TextInput
        label={m.session.token}
        hideLabel={inline}
        hint={hint}
        error={fault}
        placeholder={inline ? m.session.token : ""}
        type="password"
        mono
        autofocus={!inline}
        value={pasted}
        onInput={change}
      />
      <Button type="submit" variant="primary">
        {submit}
      </Button>
    </form>
  );
}
