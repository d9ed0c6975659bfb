import { Provider } from "@urql/preact";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { makeClient } from "../api/client";
import { ViewerDocument } from "../api/generated/graphql";
import { useQuery } from "../api/hooks";
import { identityOf, signIn, token } from "../api/token";
import { language } from "../i18n/language";
import { useMessages } from "../i18n/messages";
import { viewer } from "./viewer";

/** Shows its children to somebody who is signed in, and the way in to everybody else. */
export function Session({ children }: { children: ComponentChildren }) {
  const chosen = language.value;
  const person = token.value === null ? null : identityOf(token.value);
  if (person === null) return <SignIn />;
  // Another language or person: nothing that was read before holds.
  return (
    <Connected key={`${chosen} ${person}`}>
      <Known>{children}</Known>
    </Connected>
  );
}

function Connected({ children }: { children: ComponentChildren }) {
  const { client, close } = useMemo(makeClient, []);
  useEffect(() => close, [close]);
  return <Provider value={client}>{children}</Provider>;
}

function Known({ children }: { children: ComponentChildren }) {
  const { data } = useQuery(ViewerDocument, {});
  useEffect(() => {
    viewer.value = data?.viewer ?? null;
  }, [data]);
  return viewer.value === null ? null : children;
}

function SignIn() {
  const m = useMessages();
  const [pasted, setPasted] = useState("");
  return (
    <main>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          signIn(pasted);
        }}
      >
        <label>
          {m.shell.token}
          <input value={pasted} onInput={(event) => setPasted(event.currentTarget.value)} />
        </label>
        <p>{m.shell.tokenHint}</p>
        <button type="submit">{m.shell.signIn}</button>
      </form>
    </main>
  );
}
