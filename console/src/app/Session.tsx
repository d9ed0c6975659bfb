import { useSignalEffect } from "@preact/signals";
import { Provider } from "@urql/preact";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { makeClient } from "../api/client";
import { ViewerDocument } from "../api/generated/graphql";
import { useQuery } from "../api/hooks";
import { expire, expired, expiryOf, identityOf, token } from "../api/token";
import { language } from "../i18n/language";
import { ApiProblem } from "./ApiProblem";
import { ExpiredBar } from "./ExpiredBar";
import { SignInPage } from "./SignInPage";
import { viewer } from "./viewer";

/**
 * Shows its children to somebody who is signed in, and the way in to everybody else.
 *
 * When a token expires, the children stay as they are, under a bar that asks for another one.
 */
export function Session({ children }: { children: ComponentChildren }) {
  const chosen = language.value;
  const person = token.value === null ? null : identityOf(token.value);
  useExpiry();
  if (person === null) return <SignInPage />;
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
  const { data, problem, again } = useQuery(ViewerDocument, {});
  useEffect(() => {
    if (data) viewer.value = data.viewer;
  }, [data]);
  useEffect(() => {
    return () => {
      viewer.value = null;
    };
  }, []);
  useEffect(() => {
    // Who comes back to the page sees whether the gate has opened in the meantime.
    const look = () => !document.hidden && again();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [again]);
  if (viewer.value === null && expired.value) return <SignInPage refused />;
  if (viewer.value === null) return problem && <ApiProblem problem={problem} again={again} />;
  return (
    <>
      {expired.value && <ExpiredBar />}
      {children}
    </>
  );
}

const LONGEST_TIMER = 2 ** 31 - 1;

/** Notices that the token is over without waiting for a refusal. */
function useExpiry(): void {
  useSignalEffect(() => {
    const held = token.value;
    const expiry = held === null ? null : expiryOf(held);
    if (expiry === null) return;
    const left = Math.max(expiry - Date.now(), 0);
    // No page is open for weeks without asking anything.
    if (left > LONGEST_TIMER) return;
    const timer = setTimeout(() => expire(held), left);
    return () => clearTimeout(timer);
  });
}
